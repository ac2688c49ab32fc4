import { readConllu } from "@nasty/formats/conllu";
import { readColumns } from "@nasty/formats/iob";
import { segmentText } from "@nasty/taggers";
import { InputError } from "../exit-codes.js";
import { type OpenText, openText } from "./text-form.js";

/** Words of each sentence of a file (or `-`), labels not needed: labelled text of either form, or plain text. Streamed. */
export async function* readWords(path: string): AsyncGenerator<readonly string[]> {
  const text = await openText(path);
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
      for await (const paragraph of paragraphsOf(text)) {
        for (const { words } of segmentText(paragraph.text)) yield words.map(({ form }) => form);
      }
      return;
    default:
      return text.form satisfies never;
  }
}

/** A piece of a text that no sentence crosses, and where it begins. */
export interface Paragraph {
  readonly text: string;
  /** UTF-16 units of the text before it. */
  readonly offset: number;
}

/** Paragraphs of a text, streamed: cut at empty lines, offsets into the whole text kept. */
export async function* paragraphsOf({ chunks, name }: OpenText): AsyncGenerator<Paragraph> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let pending = "";
  let offset = 0;
  let bytes = 0;
  const decode = (chunk: Uint8Array | undefined): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      const last = bytes + (chunk?.length ?? 0);
      throw new InputError(
        `read ${name}: bytes ${bytes} to ${last}: encoding: expected UTF-8, got other bytes; convert the file to UTF-8`,
      );
    }
  };
  for await (const chunk of chunks) {
    pending += decode(chunk);
    bytes += chunk.length;
    for (let end = cutAt(pending); end > 0; end = cutAt(pending)) {
      yield { text: pending.slice(0, end), offset };
      offset += end;
      pending = pending.slice(end);
    }
  }
  pending += decode(undefined);
  if (pending !== "") yield { text: pending, offset };
}

// A text without empty lines is cut at line ends so that memory stays bounded.
const longestParagraph = 1 << 16;

/** Length of the first whole paragraph in the text, or 0 if more must be read. */
function cutAt(text: string): number {
  const gap = /\r?\n[ \t]*\r?\n/.exec(text);
  if (gap !== null) return gap.index + gap[0].length;
  if (text.length < longestParagraph) return 0;
  const newline = text.lastIndexOf("\n");
  return newline > 0 ? newline + 1 : text.length;
}
