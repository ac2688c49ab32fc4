import { createHash } from "node:crypto";
import { longestPiece, pieceEnd } from "@nasty/taggers";
import { InputError } from "../errors.js";
import type { OpenText } from "../texts/text-form.js";

/** A stretch of a text that no sentence crosses. */
export interface Cut {
  /** Bytes of the text before it, and up to its end. */
  readonly start: number;
  readonly end: number;
  /** UTF-16 units of plain text before it. */
  readonly offset: number;
  /** Lines of a text with given words before it. */
  readonly line: number;
  /** Words in it, about. */
  readonly words: number;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
  /** The bytes themselves, where they are kept. */
  readonly bytes: Uint8Array | undefined;
}

export interface CutOptions {
  /** Words that a cut has, about: it ends at the first place for it behind as many. */
  readonly words: number;
  readonly onePerLine?: boolean | undefined;
  /** Whether the bytes come too. */
  readonly isKept?: boolean;
}

/**
 * A word of plain text, with the blank behind it, has about so many bytes in English; scripts without blanks are
 * counted by the same measure.
 */
const bytesOfWord = 6;

/** Most bytes without an end of a sentence: the readers refuse fewer, and a shard is held in memory. */
const longestSentence = 1 << 26;

/** Bytes of a shard as they are found: their hash, and themselves where they are kept. */
function makeCollected(isKept: boolean) {
  let hash = createHash("sha256");
  let kept: Uint8Array[] = [];
  return {
    add(bytes: Uint8Array): void {
      hash.update(bytes);
      // A copy: the producer may use its buffer again.
      if (isKept) kept.push(bytes.slice());
    },
    take(): Pick<Cut, "sha256" | "bytes"> {
      const taken = { sha256: hash.digest("hex"), bytes: isKept ? Buffer.concat(kept) : undefined };
      hash = createHash("sha256");
      kept = [];
      return taken;
    },
  };
}

const byteOrderMark = "\uFEFF";

/**
 * Cuts plain text where `tag` cuts it too. Where a cut lies depends on the text alone, not on how its bytes arrive.
 *
 * @throws InputError for bytes that are not UTF-8
 */
export async function* cutPlain(
  { chunks, name }: Pick<OpenText, "chunks" | "name">,
  { words: wanted, onePerLine, isKept = false }: CutOptions,
): AsyncGenerator<Cut> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const collected = makeCollected(isKept);
  let pending = "";
  let isStart = true;
  let read = 0;
  let start = 0;
  let end = 0;
  let offset = 0;
  let units = 0;
  const decode = (chunk: Uint8Array | undefined): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new InputError(
        `read ${name}: bytes ${read} to ${read + (chunk?.length ?? 0)}: encoding: expected UTF-8, got other bytes; convert the file to UTF-8`,
      );
    }
  };
  const taken = (): Cut => {
    const words = Math.ceil((end - start) / bytesOfWord);
    const cut = { start, end, offset, line: 0, words, ...collected.take() };
    start = end;
    offset += units;
    units = 0;
    return cut;
  };
  function* pieces(isWhole: boolean): Generator<Cut> {
    let at = 0;
    // With less than that the end of a piece could depend on what has not arrived.
    while (isWhole ? at < pending.length : pending.length - at > longestPiece + 1) {
      const window = pending.slice(at, at + longestPiece + 1);
      const length = pieceEnd(window, { isWhole: at + window.length === pending.length, onePerLine });
      const bytes = Buffer.from(window.slice(0, length));
      collected.add(bytes);
      at += length;
      units += length;
      end += bytes.length;
      if (end - start >= wanted * bytesOfWord) yield taken();
    }
    pending = pending.slice(at);
  }
  for await (const chunk of chunks) {
    pending += decode(chunk);
    if (isStart && pending.startsWith(byteOrderMark)) {
      pending = pending.slice(1);
      start = end = Buffer.byteLength(byteOrderMark);
    }
    isStart &&= pending === "" && start === 0;
    read += chunk.length;
    yield* pieces(false);
  }
  pending += decode(undefined);
  yield* pieces(true);
  if (end > start) yield taken();
}

const newline = 10;
const numberSign = 35;
const documentStart = Buffer.from("-DOCSTART-");

/** Called with the bytes up to the end of the first sentence, once. */
export type OnLead = (end: number) => void;

/**
 * Cuts CoNLL-U or columns behind the empty line of a sentence; one row counts as a word.
 *
 * @param onLead hears where the first sentence ends; not called for a text without one
 * @throws InputError where a sentence does not end
 */
export async function* cutGiven(
  { chunks, name }: Pick<OpenText, "chunks" | "name">,
  { words: wanted, isKept = false }: CutOptions,
  onLead: OnLead = () => undefined,
): AsyncGenerator<Cut> {
  const collected = makeCollected(isKept);
  let start = 0;
  let at = 0;
  let lineBefore = 0;
  let line = 0;
  let words = 0;
  let sentenceStart = 0;
  let hasRows = false;
  let isLead = true;
  // The start of a line whose end has not come.
  let begun: Uint8Array = new Uint8Array();
  const taken = (): Cut => {
    const cut = { start, end: at, offset: 0, line: lineBefore, words, ...collected.take() };
    start = at;
    lineBefore = line;
    words = 0;
    return cut;
  };
  for await (const chunk of chunks) {
    let from = 0;
    let added = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      const kind = kindOfLine(chunk, from, to, begun);
      begun = new Uint8Array();
      at += to + 1 - from;
      from = to + 1;
      line++;
      if (kind === "row") {
        words++;
        hasRows = true;
      }
      if (kind !== "empty") continue;
      sentenceStart = at;
      if (!hasRows) continue;
      hasRows = false;
      if (isLead) onLead(at);
      isLead = false;
      if (words < wanted) continue;
      collected.add(chunk.subarray(added, from));
      added = from;
      yield taken();
    }
    collected.add(chunk.subarray(added));
    begun = joinedStart(begun, chunk.subarray(from));
    at += chunk.length - from;
    if (at - sentenceStart > longestSentence) {
      throw new InputError(
        `read ${name}: line ${line + 1}: sentence: expected an empty line within ${longestSentence} bytes, got more bytes without one; check the file`,
      );
    }
  }
  // The last line may lack its end.
  if (begun.length > 0 && kindOfLine(begun, 0, 0, begun) === "row") {
    words++;
    hasRows = true;
  }
  if (hasRows && isLead) onLead(at);
  if (at > start) yield taken();
}

/** What a line is told by: more of it need not be kept. */
const toldBy = 16;

function joinedStart(begun: Uint8Array, more: Uint8Array): Uint8Array {
  if (begun.length >= toldBy || more.length === 0) return begun;
  // Blanks in front say nothing.
  let from = 0;
  if (begun.length === 0) while (from < more.length && (more[from] as number) <= 32) from++;
  return Buffer.concat([begun, more.subarray(from, from + toldBy)]);
}

function kindOfLine(
  chunk: Uint8Array,
  from: number,
  to: number,
  begun: Uint8Array,
): "row" | "empty" | "other" {
  let at = from;
  if (begun.length === 0) {
    while (at < to && (chunk[at] as number) <= 32) at++;
    if (at === to) return "empty";
  }
  const first = begun[0] ?? chunk[at];
  if (first === numberSign) return "other";
  if (first !== documentStart[0]) return "row";
  const head =
    begun.length >= toldBy ? begun : Buffer.concat([begun, chunk.subarray(at, Math.min(to, at + toldBy))]);
  return documentStart.every((byte, index) => head[index] === byte) ? "other" : "row";
}
