import { lineOf, type Sentence } from "@nasty/formats/conllu";
import type { LabelledSentence } from "./labelled-sentence.js";

/**
 * The words of CoNLL-U sentences with the labels of one column; multiword-token ranges and empty nodes are not words.
 *
 * @param column `upos` unless told otherwise.
 * @returns sentences with the line of each word, streamed; `words` and `labels` have one entry a word.
 *
 * @example
 * ```ts
 * await evaluate(tagger, labelledWords(readConlluFile("test.conllu")));
 * ```
 */
export async function* labelledWords(
  sentences: Iterable<Sentence> | AsyncIterable<Sentence>,
  column: "upos" | "xpos" = "upos",
): AsyncGenerator<LabelledSentence> {
  for await (const sentence of sentences) {
    const words: string[] = [];
    const labels: string[] = [];
    const lines: number[] = [];
    sentence.rows.forEach((row, i) => {
      if (row.kind !== "word") return;
      words.push(row.form);
      labels.push(row[column]);
      const line = lineOf(sentence, i);
      if (line !== undefined) lines.push(line);
    });
    yield { words, labels, lines };
  }
}
