import { FormatError } from "../format-error.js";

/** How {@link wholeLines} names its input in messages, and how long a line may be. */
export interface WholeLinesOptions {
  /** Start of every message. */
  readonly where: string;
  /** Most characters (bytes, of bytes) in a line. */
  readonly maxLineLength: number;
}

/**
 * A line of a million characters is no sentence: the input is not text of this kind, and holding such a line would hold
 * the whole input.
 */
export const defaultMaxLineLength = 1 << 20;

const newline = 10;

/**
 * Cuts a stream of text or UTF-8 bytes behind newlines: each block holds whole lines, only the last may lack its
 * newline. A byte order mark at the start is left out.
 *
 * Bytes are decoded a block of lines at a time: a newline byte is never part of another character, so no decoder state
 * is carried, and the fast one-shot decoder serves.
 */
export async function* wholeLines(
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  options: WholeLinesOptions,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let lines = 0;
  let first = true;
  let bytes: Uint8Array | undefined;
  let text = "";
  const finish = (block: string): string => {
    const clean = first && block.charCodeAt(0) === 0xfeff ? block.slice(1) : block;
    first = false;
    lines = countLines(clean, lines, options);
    return clean;
  };
  for await (const chunk of chunks) {
    if (typeof chunk === "string") {
      if (bytes !== undefined && bytes.length > 0) {
        text = decode(decoder, bytes, lines, options);
        bytes = undefined;
      }
      const cut = chunk.lastIndexOf("\n") + 1;
      if (cut > 0) yield finish(text + chunk.slice(0, cut));
      text = cut > 0 ? chunk.slice(cut) : text + chunk;
      checkLength(text.length, lines, options);
    } else {
      const cut = chunk.lastIndexOf(newline) + 1;
      if (text !== "") {
        bytes = new TextEncoder().encode(text);
        text = "";
      }
      if (cut > 0) yield finish(decode(decoder, joined(bytes, chunk.subarray(0, cut)), lines, options));
      // A copy: the producer may reuse its buffer.
      bytes = cut > 0 ? chunk.slice(cut) : joined(bytes, chunk).slice();
      checkLength(bytes.length, lines, options);
    }
  }
  if (bytes !== undefined && bytes.length > 0) yield finish(decode(decoder, bytes, lines, options));
  else if (text !== "") yield finish(text);
}

function joined(head: Uint8Array | undefined, tail: Uint8Array): Uint8Array {
  if (head === undefined || head.length === 0) return tail;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Uint8Array,
  lines: number,
  { where }: WholeLinesOptions,
): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const { line, column, byte } = locateInvalidUtf8(bytes);
    throw new FormatError(
      "encoding",
      `${where}: line ${lines + line}: encoding: expected UTF-8, got byte 0x${byte.toString(16).padStart(2, "0")} at byte ${column} of the line`,
      { line: lines + line, cause },
    );
  }
}

/**
 * Where bytes stop being UTF-8 (RFC 3629): line and byte in the line, both from 1, and that byte.
 *
 * Called on bytes that a decoder has refused; if all is well it names the end.
 */
export function locateInvalidUtf8(bytes: Uint8Array): { line: number; column: number; byte: number } {
  let line = 1;
  let lineStart = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) break;
    if (bytes[at] === newline) {
      line++;
      lineStart = at + 1;
    }
    at += length;
  }
  return { line, column: at - lineStart + 1, byte: bytes[at] ?? 0 };
}

/** Length of the character at this byte, or 0 where there is none: table 3-7 of the Unicode standard. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < lowest || second > highest) return 0;
  for (let next = at + 2; next < at + length; next++) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function countLines(block: string, before: number, options: WholeLinesOptions): number {
  let lines = before;
  let start = 0;
  while (start < block.length) {
    let next = block.indexOf("\n", start);
    if (next < 0) next = block.length;
    checkLength(next - start, lines, options);
    lines++;
    start = next + 1;
  }
  return lines;
}

function checkLength(length: number, lines: number, { where, maxLineLength }: WholeLinesOptions): void {
  if (length <= maxLineLength) return;
  throw new FormatError(
    "line-length",
    `${where}: line ${lines + 1}: length: expected at most ${maxLineLength} characters, got more`,
    { line: lines + 1, expected: maxLineLength },
  );
}
