/**
 * Most lines of one sentence, its comments counted: the longest sentences of treebanks have a few thousand, so more
 * than this is a file without empty lines, or no such file.
 */
export const defaultMaxSentenceLines = 1 << 17;

/** Most characters of one sentence: what a sentence of long lines may hold in memory. */
export const defaultMaxSentenceLength = 1 << 24;

/** How much of a sentence is held before its end is seen. */
export interface SentenceLimits {
  readonly maxSentenceLines: number;
  readonly maxSentenceLength: number;
}

/** Counts what is held of a sentence, and says when it is too much. */
export interface SentenceSize {
  lines: number;
  length: number;
}

/** What is expected and found where a sentence passes a limit, or undefined where it does not. */
export function overLimit(
  { lines, length }: SentenceSize,
  { maxSentenceLines, maxSentenceLength }: SentenceLimits,
): { readonly expected: string; readonly got: string } | undefined {
  if (lines > maxSentenceLines)
    return { expected: `at most ${maxSentenceLines} lines before an empty line`, got: "more" };
  if (length > maxSentenceLength)
    return { expected: `at most ${maxSentenceLength} characters before an empty line`, got: "more" };
  return undefined;
}
