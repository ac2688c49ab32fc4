// Text without labels, as the scripts that distill and label it read it.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseConllu, words as wordsOf } from "../../packages/formats/dist/conllu/index.js";
import { parseColumns } from "../../packages/formats/dist/iob/index.js";
import { segmentText } from "../../packages/taggers/dist/index.js";

/** `FILE` or `FILE:LIMIT`. */
export const sourceOf = (argument) => /^(?<path>.*?)(?::(?<limit>\d+))?$/.exec(argument).groups;

/** The words of a file's sentences: CoNLL-U, columns, or plain text (LIMIT sentences from all over it). */
export async function rawSentences({ path, limit }) {
  const text = await readFile(path, "utf8");
  if (path.endsWith(".txt")) return spread(plainSentences(text), limit);
  const sentences = path.endsWith(".conllu")
    ? Array.from(parseConllu(text), (sentence) => wordsOf(sentence).map(({ form }) => form))
    : Array.from(parseColumns(text, { name: basename(path) }), ({ words }) => words);
  return limit === undefined ? sentences : sentences.slice(0, Number(limit));
}

/** Distinct sentences of plain text, one paragraph a line, that are neither scraps nor lists. */
function plainSentences(text) {
  const byText = new Map();
  for (const paragraph of text.split("\n")) {
    for (const { words } of segmentText(paragraph)) {
      if (words.length < 3 || words.length > 60) continue;
      const forms = words.map(({ form }) => form);
      byText.set(forms.join(" "), forms);
    }
  }
  return [...byText.values()];
}

/** `limit` sentences at even distances. */
function spread(sentences, limit = sentences.length) {
  const count = Math.min(Number(limit), sentences.length);
  return Array.from({ length: count }, (_, i) => sentences[Math.floor((i * sentences.length) / count)]);
}
