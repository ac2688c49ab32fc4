import { readChunks } from "@nasty/formats/archive/node";
import { findTextForm, type FoundForm, type TextForm } from "@nasty/formats/text-form";
import { InputError } from "../errors.js";
import { currentReading } from "./reading.js";
import { readStandardInput } from "./standard-input.js";

export type { TextForm } from "@nasty/formats/text-form";

type Chunks = AsyncIterable<Uint8Array>;

/** A text file or standard input, its form known, none of it consumed. */
export interface OpenText {
  /** As messages name it. */
  readonly name: string;
  readonly form: TextForm;
  /** The start of the text, by which its form and its columns are known. */
  readonly head: string;
  readonly chunks: Chunks;
  /** For whoever does not read the chunks to their end. */
  readonly close: () => Promise<void>;
}

/** So much of a text is looked at; standard input waits for as much, unless its form is said. */
const headLength = 1 << 16;

export function nameOf(path: string): string {
  return path === "-" ? "standard input" : path;
}

/**
 * Opens a text and tells its form by its content; the name of the file helps where the content leaves it open, and
 * `--input-format` goes before both.
 *
 * Standard input (`-`) can be opened once.
 *
 * @param wanted `labels` where plain text is of no use: what may be columns is taken for them then
 * @throws InputError for binary data; FormatError for a file that cannot be read
 */
export async function openText(path: string, wanted: "words" | "labels" = "words"): Promise<OpenText> {
  const name = nameOf(path);
  const reading = currentReading();
  const form = reading.saidForm(path);
  // Of a text whose form is said, one chunk is enough.
  const source = path === "-" ? readStandardInput() : readChunks(path);
  const { head, isWhole, chunks, close } = await peek(source, form === undefined ? headLength : 1);
  if (head.includes("\0")) {
    await close();
    throw new InputError(
      `read ${name}: content: expected text, got binary data; give a .conllu, .iob2, .conll or .txt file`,
    );
  }
  const found =
    form === undefined
      ? formFor(wanted, findTextForm(head, { name: path, isWhole }), head)
      : ({ form, by: "option", why: "--input-format says so" } as const);
  const isDoubtful = "isClose" in found && found.form === "plain";
  reading.add(
    { path: name, form: found.form, by: found.by, why: found.why },
    isDoubtful
      ? `${name} is read as plain text: ${found.why}; if it is words and labels, say --input-format columns`
      : undefined,
  );
  return { name, form: found.form, head, chunks, close };
}

/** The form of a text that is open by content and name: columns where labels are wanted. */
function formFor(wanted: "words" | "labels", found: FoundForm, head: string): FoundForm {
  if (wanted === "words" || found.form !== "plain" || found.by !== "default" || head.trim() === "")
    return found;
  return { form: "columns", by: "default", why: "labels are wanted, and it is not prose" };
}

interface Peeked {
  readonly head: string;
  readonly isWhole: boolean;
  readonly chunks: Chunks;
  readonly close: () => Promise<void>;
}

/** Reads the start of a text; what was read comes again in `chunks`. */
async function peek(source: Chunks, enough: number): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let head = "";
  let isWhole = false;
  while (head.length < enough) {
    const { done, value } = await iterator.next();
    if (done === true) {
      isWhole = true;
      break;
    }
    // A copy: the producer may reuse its buffer.
    seen.push(value.slice());
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
  // Cut where the length says, not where a chunk ends: the form must not depend on how the text arrives.
  return {
    head: head.slice(0, headLength),
    isWhole: isWhole && head.length <= headLength,
    chunks: replay(),
    close: async () => void (await iterator.return?.()),
  };
}
