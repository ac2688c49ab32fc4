import { readConllu } from "@nasty/formats/conllu";
import { readColumns } from "@nasty/formats/iob";
import { textSentences } from "@nasty/taggers";
import { notPlain, piecesOf, type PlainTextOptions } from "./plain-text.js";
import { openText, type OpenText } from "./text-form.js";

/**
 * Words of each sentence of a file (or `-`), labels not needed: labelled text of either form, or plain text. Streamed.
 */
export async function* readWords(
  path: string,
  options: PlainTextOptions = {},
): AsyncGenerator<readonly string[]> {
  yield* wordsIn(await openText(path), options);
}

/** {@link readWords} of a text that is open already. */
export async function* wordsIn(
  text: OpenText,
  options: PlainTextOptions = {},
): AsyncGenerator<readonly string[]> {
  if (options.onePerLine === true && text.form !== "plain") {
    throw notPlain(text.name);
  }
  switch (text.form) {
    case "conllu":
      for await (const { rows } of readConllu(text.chunks, { name: text.name })) {
        yield rows.filter((row) => row.kind === "word").map((row) => row.form);
      }
      return;
    case "columns":
      for await (const { words } of readColumns(text.chunks, { name: text.name })) yield words;
      return;
    case "plain":
      for await (const piece of piecesOf(text, options)) {
        for (const { words } of textSentences(piece.text, options)) yield words.map(({ form }) => form);
      }
      return;
    default:
      return text.form satisfies never;
  }
}
