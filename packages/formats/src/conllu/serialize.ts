import { idOf, type Row, type Sentence } from "./sentence.js";

/**
 * The lines of one sentence with the empty line behind it.
 *
 * @example
 * ```ts
 * process.stdout.write(serializeSentence(sentence));
 * ```
 */
export function serializeSentence(sentence: Sentence): string {
  let text = "";
  for (const comment of sentence.comments) text += `${comment}\n`;
  for (const row of sentence.rows) text += rowLine(row);
  return `${text}\n`;
}

/**
 * Sentences as CoNLL-U: the bytes that they were read from if that was a valid file (LF, no byte order mark otherwise).
 *
 * @example
 * ```ts
 * serializeConllu(parseConllu(text)) === text; // for valid text
 * ```
 */
export function serializeConllu(sentences: Iterable<Sentence>): string {
  const parts: string[] = [];
  for (const sentence of sentences) parts.push(serializeSentence(sentence));
  return parts.join("");
}

function rowLine(row: Row): string {
  const { form, lemma, upos, xpos, feats, head, deprel, deps, misc } = row;
  return `${idOf(row)}\t${form}\t${lemma}\t${upos}\t${xpos}\t${feats}\t${head ?? "_"}\t${deprel}\t${deps}\t${misc}\n`;
}
