import { FormatError } from "../format-error.js";
import type { LabelledSentence } from "./read.js";

/**
 * Sentences as two columns, word and label with a tab between, and an empty line behind each.
 *
 * @throws FormatError `shape` (words and labels of different number), `syntax` (a word with a tab or newline in it)
 * @example
 * ```ts
 * serializeColumns([{ comments: [], words: ["Oslo"], labels: ["B-LOC"] }]); // "Oslo\tB-LOC\n\n"
 * ```
 */
export function serializeColumns(sentences: Iterable<LabelledSentence>): string {
  const parts: string[] = [];
  let index = 0;
  for (const { comments, words, labels, startsDocument } of sentences) {
    index++;
    if (words.length !== labels.length) {
      throw new FormatError(
        "shape",
        `serializeColumns: sentence ${index}: labels: expected ${words.length}, got ${labels.length}`,
      );
    }
    if (startsDocument === true) parts.push("-DOCSTART-\tO\n\n");
    for (const comment of comments) parts.push(`${comment}\n`);
    for (const [at, word] of words.entries()) {
      if (/[\t\n\r]/.test(word)) {
        throw new FormatError(
          "syntax",
          `serializeColumns: sentence ${index}: word ${at + 1}: expected text without tab or newline, got ${JSON.stringify(word)}`,
        );
      }
      parts.push(`${word}\t${labels[at]}\n`);
    }
    parts.push("\n");
  }
  return parts.join("");
}
