import { idOf, type Row, type Sentence, standardColumn } from "./sentence.js";

/**
 * The lines of one sentence with the empty line behind it, and the comment blocks around it. A sentence with `columns`
 * of its own is written in these (CoNLL-U Plus); the comment that declares them is among the comments of the file's
 * first sentence.
 *
 * @example
 * ```ts
 * process.stdout.write(serializeSentence(sentence));
 * ```
 */
export function serializeSentence(sentence: Sentence): string {
  const { comments, rows, columns, blocksBefore = [], blocksAfter = [] } = sentence;
  let text = blockLines(blocksBefore);
  for (const comment of comments) text += `${comment}\n`;
  for (const row of rows) text += columns === undefined ? rowLine(row) : plusRowLine(row, columns);
  return `${text}\n${blockLines(blocksAfter)}`;
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

function plusRowLine(row: Row, columns: readonly string[]): string {
  let other = 0;
  const fields = columns.map((name) => standardColumn(row, name) ?? row.extra?.[other++] ?? "_");
  return `${fields.join("\t")}\n`;
}

function blockLines(blocks: readonly (readonly string[])[]): string {
  return blocks.map((lines) => `${lines.join("\n")}\n\n`).join("");
}
