import { UsageError } from "../errors.js";

const kind = Symbol.for("nasty.text");

/**
 * A text to read: calibration, validation, training. What it holds (CoNLL-U, columns, prose) is seen from its content
 * when it is read.
 */
export interface Text {
  readonly [kind]: true;
  /** Path of a file, compressed or not, or `-` for standard input. */
  readonly path: string;
  /** Sentences wanted of it; undefined for what the operation takes by itself. */
  readonly sentences: number | undefined;
}

/**
 * A text by its path; nothing is read until an operation needs it.
 *
 * @param sentences how many of its sentences are wanted, 1 or more (calibration and importance only)
 * @throws UsageError for a number of sentences below 1
 */
export function text(path: string, { sentences }: { readonly sentences?: number } = {}): Text {
  if (sentences !== undefined && !(Number.isSafeInteger(sentences) && sentences >= 1)) {
    throw new UsageError(`text: ${path}: sentences: expected a whole number of 1 or more, got ${sentences}`);
  }
  return { [kind]: true, path, sentences };
}

export function isText(value: unknown): value is Text {
  return typeof value === "object" && value !== null && kind in value;
}

/** As the command line names it: `FILE` or `FILE:N`. */
export function sourceOf({ path, sentences }: Text): string {
  return sentences === undefined ? path : `${path}:${sentences}`;
}
