/** Items that can be counted and gone through, a list or one that is made as it is read. */
export interface Counted<T> extends Iterable<T> {
  readonly length: number;
}

/**
 * At most `count` items at equal distances, in their order: a corpus begins with one kind of text and ends with
 * another.
 *
 * @example spread(["a", "b", "c", "d"], 2) // ["a", "c"]
 */
export function spread<T>(items: Counted<T>, count: number): T[] {
  const chosen: T[] = [];
  let at = 0;
  for (const item of items) {
    const next = Math.floor((chosen.length * items.length) / Math.min(count, items.length));
    if (at === next && chosen.length < count) chosen.push(item);
    at++;
  }
  return chosen;
}
