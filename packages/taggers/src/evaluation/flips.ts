import { TaggerError } from "../tagger-error.js";

/** A word whose label differs between two outputs; indices from 0. */
export interface Flip {
  readonly sentence: number;
  readonly word: number;
  readonly original: string;
  readonly changed: string;
}

/**
 * The words whose label differs between two outputs of the same sentences, in order.
 *
 * @param original labels of each sentence by the first model.
 * @param changed labels by the second; as many sentences and words.
 * @throws TaggerError `misaligned`.
 *
 * @example
 * ```ts
 * flips([["NOUN", "VERB"]], [["NOUN", "NOUN"]]); // [{ sentence: 0, word: 1, original: "VERB", changed: "NOUN" }]
 * ```
 */
export function flips(
  original: readonly (readonly string[])[],
  changed: readonly (readonly string[])[],
): Flip[] {
  if (original.length !== changed.length) {
    throw new TaggerError(
      "misaligned",
      `flips: sentences: expected ${original.length} in both outputs, got ${changed.length}`,
    );
  }
  const found: Flip[] = [];
  original.forEach((labels, sentence) => {
    const others = changed[sentence] as readonly string[];
    if (labels.length !== others.length) {
      throw new TaggerError(
        "misaligned",
        `flips: sentence ${sentence + 1}: words: expected ${labels.length} in both outputs, got ${others.length}`,
      );
    }
    labels.forEach((label, word) => {
      const other = others[word] as string;
      if (label !== other) found.push({ sentence, word, original: label, changed: other });
    });
  });
  return found;
}
