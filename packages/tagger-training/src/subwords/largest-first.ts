/** Numbered items, the one with the largest count first; equal counts: the smallest number first. */
export interface LargestFirst {
  add(count: number, item: number): void;
  /** Takes the first one out, or gives undefined if there is none. */
  take(): { readonly count: number; readonly item: number } | undefined;
}

/** A binary heap over two parallel lists: millions of pairs would be as many objects. */
export function largestFirst(): LargestFirst {
  const counts: number[] = [];
  const items: number[] = [];
  const isBefore = (i: number, j: number): boolean => {
    const difference = (counts[i] as number) - (counts[j] as number);
    return difference > 0 || (difference === 0 && (items[i] as number) < (items[j] as number));
  };
  const swap = (i: number, j: number): void => {
    [counts[i], counts[j]] = [counts[j] as number, counts[i] as number];
    [items[i], items[j]] = [items[j] as number, items[i] as number];
  };
  return {
    add(count, item) {
      let at = counts.push(count) - 1;
      items.push(item);
      for (let parent = (at - 1) >> 1; at > 0 && isBefore(at, parent); parent = (at - 1) >> 1) {
        swap(at, parent);
        at = parent;
      }
    },
    take() {
      if (counts.length === 0) return undefined;
      swap(0, counts.length - 1);
      const first = { count: counts.pop() as number, item: items.pop() as number };
      for (let at = 0; ; ) {
        const left = 2 * at + 1;
        if (left >= counts.length) break;
        const child = left + 1 < counts.length && isBefore(left + 1, left) ? left + 1 : left;
        if (!isBefore(child, at)) break;
        swap(at, child);
        at = child;
      }
      return first;
    },
  };
}
