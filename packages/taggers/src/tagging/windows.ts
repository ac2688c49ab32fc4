/** A run of words that goes through the model at once, and the words whose label is taken from it. */
export interface Window {
  readonly firstWord: number;
  readonly wordsEnd: number;
  readonly firstOwned: number;
  readonly ownedEnd: number;
}

/**
 * Cuts a sentence that is longer than the model into overlapping windows of whole words.
 *
 * Neighbours share about half a window. Each word belongs to the window in which the smaller of its two contexts
 * (subwords before it, subwords after it; unlimited at the sentence's own ends) is largest.
 *
 * @param offsets subwords before each word and, last, of the whole sentence; no word alone is longer than `capacity`.
 * @param capacity most subwords in a window.
 * @returns one window if the sentence fits, none for no words; owned ranges follow each other and cover all words.
 */
export function windowsOf(offsets: ArrayLike<number>, capacity: number): Window[] {
  const words = offsets.length - 1;
  if (words <= 0) return [];
  const at = (word: number): number => offsets[word] as number;
  if (at(words) <= capacity) return [{ firstWord: 0, wordsEnd: words, firstOwned: 0, ownedEnd: words }];

  const bounds: { first: number; end: number }[] = [];
  for (let first = 0; ; ) {
    let end = first + 1;
    while (end < words && at(end + 1) - at(first) <= capacity) end++;
    if (end === words) {
      // The last window reaches back as far as it can: more context costs nothing.
      while (first > 0 && at(words) - at(first - 1) <= capacity) first--;
      bounds.push({ first, end });
      break;
    }
    bounds.push({ first, end });
    let next = end;
    while (next > first + 1 && at(end) - at(next - 1) <= capacity / 2) next--;
    first = next;
  }

  const context = ({ first, end }: { first: number; end: number }, word: number): number => {
    const left = first === 0 ? Number.POSITIVE_INFINITY : at(word) - at(first);
    const right = end === words ? Number.POSITIVE_INFINITY : at(end) - at(word + 1);
    return Math.min(left, right);
  };
  // Context falls towards the end of one window and grows from the start of the next, so each pair has one border.
  const border = (bound: { first: number; end: number }, next: { first: number; end: number }): number => {
    let word = next.first;
    while (word < bound.end && context(bound, word) >= context(next, word)) word++;
    return word;
  };
  const windows: Window[] = [];
  let firstOwned = 0;
  bounds.forEach((bound, i) => {
    const next = bounds[i + 1];
    const ownedEnd = Math.max(firstOwned, next === undefined ? words : border(bound, next));
    if (ownedEnd === firstOwned) return;
    windows.push({ firstWord: bound.first, wordsEnd: bound.end, firstOwned, ownedEnd });
    firstOwned = ownedEnd;
  });
  return windows;
}

/** {@link windowsOf} for a sentence of which every word takes one position. */
export function wordWindows(words: number, capacity: number): Window[] {
  if (words === 0) return [];
  if (words <= capacity) return [{ firstWord: 0, wordsEnd: words, firstOwned: 0, ownedEnd: words }];
  return windowsOf(
    Int32Array.from({ length: words + 1 }, (_, word) => word),
    capacity,
  );
}
