/** A sentence with its right (or a system's) labels. */
export interface LabelledSentence {
  readonly words: readonly string[];
  readonly labels: readonly string[];
  /** Line of the first word in the file it came from, from 1; without it errors name sentence and word instead. */
  readonly line?: number | undefined;
  /** Line of each word, where words do not follow each other line by line. */
  readonly lines?: readonly number[] | undefined;
}

/** Labelled sentences, in memory or streamed. */
export type LabelledSentences = Iterable<LabelledSentence> | AsyncIterable<LabelledSentence>;

/** Label of a word that has none. */
export const noLabel = "_";

/** Where a word stands, for messages: `dev.conllu line 12`, or `sentence 3 word 2` where lines are not known. */
export function placeOf(
  sentence: LabelledSentence,
  sentenceIndex: number,
  wordIndex: number,
  path?: string,
): { readonly text: string; readonly line: number | undefined } {
  const line =
    sentence.lines?.[wordIndex] ?? (sentence.line === undefined ? undefined : sentence.line + wordIndex);
  const where = line === undefined ? `sentence ${sentenceIndex + 1} word ${wordIndex + 1}` : `line ${line}`;
  const text = path === undefined ? where : `${path} ${where}`;
  return { text, line };
}
