import { readChunks } from "@nasty/formats/archive/node";
import { InputError } from "../exit-codes.js";
import { readStandardInput } from "./standard-input.js";

type Chunks = AsyncIterable<Uint8Array>;

/** CoNLL-U, columns of words and labels, or plain text. */
export type TextForm = "conllu" | "columns" | "plain";

/** A text file or standard input, its form known, none of it consumed. */
export interface OpenText {
  /** As messages name it. */
  readonly name: string;
  readonly form: TextForm;
  readonly chunks: Chunks;
}

/** Text that is looked at to tell its form: a first line longer than this has no columns. */
const longestHead = 1 << 20;

const labelPattern = /^(?:O|[BIESLU]-.+)$/;

export function nameOf(path: string): string {
  return path === "-" ? "standard input" : path;
}

/**
 * Opens a text and tells its form: by `.conllu` or `.txt` in the name, else by its first row.
 *
 * Standard input (`-`) can be opened once.
 *
 * @throws InputError for binary data; FormatError for a file that cannot be read
 */
export async function openText(path: string): Promise<OpenText> {
  const name = nameOf(path);
  const { head, chunks } = await peek(path === "-" ? readStandardInput() : readChunks(path));
  if (head.includes("\0")) {
    throw new InputError(
      `read ${name}: content: expected text, got binary data; give a .conllu, .iob2, .conll or .txt file`,
    );
  }
  return { name, form: formOfName(path) ?? formOfRow(firstRow(`${head}\n`)), chunks };
}

/** Reads until the first row is whole; what was read comes again in `chunks`. */
async function peek(source: Chunks): Promise<{ readonly head: string; readonly chunks: Chunks }> {
  const iterator = source[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let head = "";
  while (firstRow(head) === undefined && head.length < longestHead) {
    const { done, value } = await iterator.next();
    if (done) break;
    seen.push(value);
    head += decoder.decode(value, { stream: true });
  }
  async function* replay(): AsyncGenerator<Uint8Array> {
    try {
      yield* seen;
      yield* { [Symbol.asyncIterator]: () => iterator };
    } finally {
      await iterator.return?.();
    }
  }
  return { head, chunks: replay() };
}

/** The first complete line that is neither empty nor a comment. */
function firstRow(text: string): string | undefined {
  const lines = text.split("\n");
  lines.pop();
  return lines.find(
    (line) =>
      line.trim() !== "" &&
      !line.startsWith("-DOCSTART-") &&
      !(
        line.startsWith("#") &&
        !labelPattern.test(
          line
            .trim()
            .split(/[\t ]+/)
            .at(-1) ?? "",
        )
      ),
  );
}

function formOfName(path: string): TextForm | undefined {
  const extension = /\.(?<extension>\w+)(?:\.gz|\.br)?$/i.exec(path)?.groups?.extension?.toLowerCase();
  return extension === "conllu" ? "conllu" : extension === "txt" ? "plain" : undefined;
}

function formOfRow(row: string | undefined): TextForm {
  if (row === undefined) return "columns";
  const columns = row.split("\t");
  if (columns.length >= 8 && /^\d/.test(columns[0]!)) return "conllu";
  if (columns.length >= 2) return "columns";
  const fields = row.trim().split(/ +/);
  return fields.length >= 2 && labelPattern.test(fields.at(-1)!) ? "columns" : "plain";
}
