import { readChunks } from "@nasty/formats/archive/node";
import { InputError } from "../errors.js";
import { readStandardInput } from "./standard-input.js";
import { nameOf } from "./text-form.js";

/** A text as its bytes arrive, and as messages name it. */
interface NamedChunks {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly name: string;
}

/** A line of a file, from 1, without its end. */
export interface TextLine {
  readonly text: string;
  readonly line: number;
}

/** A line of JSON that is longer is none: an image of four megapixels in three colours has less. */
const longestLine = 2 ** 28;

/**
 * The lines of a text, streamed; a byte order mark at the start is left out.
 *
 * @throws InputError for bytes that are no UTF-8 and for a line without end
 */
export async function* linesOf({ chunks, name }: NamedChunks): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new InputError(
        `read ${name}: line ${line + 1}: encoding: expected UTF-8, got other bytes; convert the file to UTF-8`,
      );
    }
  };
  let line = 0;
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const text = decode(chunk);
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      begun.push(text.slice(from, end));
      yield { text: begun.join("").replace(/\r$/, ""), line: ++line };
      begun = [];
      length = 0;
      from = end + 1;
    }
    begun.push(text.slice(from));
    length += text.length - from;
    if (length > longestLine) {
      throw new InputError(
        `read ${name}: line ${line + 1}: length: expected at most ${longestLine} characters, got more`,
      );
    }
  }
  begun.push(decode());
  const last = begun.join("");
  if (last !== "") yield { text: last.replace(/\r$/, ""), line: line + 1 };
}

/** A file (or `-`) as it is, for {@link linesOf}. */
export const chunksOf = (path: string): NamedChunks => ({
  name: nameOf(path),
  chunks: path === "-" ? readStandardInput() : readChunks(path),
});
