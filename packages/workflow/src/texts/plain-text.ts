import { pieceEnd } from "@nasty/taggers";
import { InputError } from "../errors.js";
import type { LineEnds } from "./line-ends.js";
import type { OpenText } from "./text-form.js";

/** How plain text is read. */
export interface PlainTextOptions {
  /** Whether each line is one sentence. */
  readonly onePerLine?: boolean | undefined;
  /** BCP 47 tag of its language, by which its words are cut; English unless given. */
  readonly language?: string | undefined;
  /** Counts the ends of lines as they are read. */
  readonly lineEnds?: LineEnds | undefined;
}

/** A piece of a text that no sentence crosses, and where it begins. */
export interface Piece {
  readonly text: string;
  /** UTF-16 units of the text before it. */
  readonly offset: number;
}

/** Pieces of a text, streamed: memory is bounded by the longest sentence that is cut, whatever the text holds. */
export async function* piecesOf(
  { chunks, name }: OpenText,
  { onePerLine, lineEnds }: PlainTextOptions,
): AsyncGenerator<Piece> {
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
  function* pieces(isWhole: boolean): Generator<Piece> {
    let at = 0;
    for (;;) {
      const rest = pending.slice(at);
      const length = pieceEnd(rest, { isWhole, onePerLine });
      if (length === 0) break;
      const text = rest.slice(0, length);
      lineEnds?.count(text);
      yield { text, offset };
      at += length;
      offset += length;
    }
    pending = pending.slice(at);
  }
  for await (const chunk of chunks) {
    pending += decode(chunk);
    bytes += chunk.length;
    yield* pieces(false);
  }
  pending += decode(undefined);
  yield* pieces(true);
}

/** One sentence a line is said of a text that marks its sentences itself. */
export function notPlain(name: string): InputError {
  return new InputError(
    `read ${name}: --one-per-line: expected plain text, got labelled text, whose sentences are marked; leave the option out`,
  );
}
