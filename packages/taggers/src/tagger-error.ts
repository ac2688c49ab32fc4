/** Why a tagger could not be made, or could not tag or be evaluated. */
export type TaggerErrorCode =
  // Opening
  | "metadata"
  | "labels"
  | "tokenizer"
  | "tokenizer-missing"
  | "tokenizer-mismatch"
  | "model-inputs"
  | "model-outputs"
  | "not-found"
  | "word-index"
  // Building an encoder from a checkpoint
  | "config"
  | "checkpoint"
  // Training
  | "option"
  | "teacher"
  // Exporting
  | "not-exportable"
  // Tagging
  | "words"
  | "window"
  | "output"
  // Evaluation
  | "unknown-label"
  | "misaligned"
  | "empty";

/** Where an error was found; every field that is known is set. */
export interface TaggerErrorFields {
  /** File the input came from. */
  readonly path?: string | undefined;
  /** Line, from 1. */
  readonly line?: number | undefined;
  /** Label, input, output or metadata key. */
  readonly name?: string | undefined;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * A model, tokenizer or labelled text that a tagger cannot work with: never a bug of this package.
 *
 * Messages read `<operation>: <where>: <what>: expected <x>, got <y>`.
 *
 * @example
 * ```ts
 * throw new TaggerError("unknown-label", "evaluate: line 12: label: expected one of O, B-PER, got \"B-DOG\"", { line: 12 });
 * ```
 */
export class TaggerError extends Error {
  override readonly name = "TaggerError";
  /** Bad input, as opposed to a bug: the command line turns it into exit code 3. */
  readonly kind = "input";
  readonly code: TaggerErrorCode;
  readonly fields: TaggerErrorFields;

  constructor(code: TaggerErrorCode, message: string, fields: TaggerErrorFields = {}) {
    super(message, "cause" in fields ? { cause: fields.cause } : undefined);
    this.code = code;
    this.fields = fields;
  }
}
