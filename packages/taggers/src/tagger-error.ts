import { type ErrorFields, NastyError } from "@nasty/core";

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
  | "download"
  | "word-index"
  // Building an encoder from a checkpoint
  | "config"
  | "checkpoint"
  // Training
  | "option"
  | "vectors"
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
export interface TaggerErrorFields extends ErrorFields {
  /** File the input came from. */
  readonly path?: string | undefined;
  /** Line, from 1. */
  readonly line?: number | undefined;
  /** Label, input, output or metadata key. */
  readonly name?: string | undefined;
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
export class TaggerError extends NastyError<TaggerErrorCode, TaggerErrorFields> {
  override readonly name = "TaggerError";
}
