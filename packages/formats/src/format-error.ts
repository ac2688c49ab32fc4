import { type ErrorFields, NastyError } from "@nasty/core";

/** Why an input could not be read, or an output could not be written. */
export type FormatErrorCode =
  // Bytes and files
  | "truncated"
  | "size"
  | "limit"
  | "encoding"
  | "compression"
  | "not-found"
  | "unreadable"
  | "unwritable"
  // Lines of text
  | "syntax"
  | "column-count"
  | "line-length"
  | "sentence-length"
  | "label"
  | "invalid-value"
  // Tables of contents and records
  | "magic"
  | "header"
  | "missing"
  | "duplicate"
  | "unknown-dtype"
  | "shape"
  | "alignment"
  | "overlap"
  | "gap"
  | "out-of-range"
  // Model files
  | "protobuf"
  | "external-data"
  | "unsupported"
  | "version"
  | "attribute"
  | "not-a-model"
  // JSON
  | "json"
  | "schema";

/** Where an error was found; every field that is known is set. */
export interface FormatErrorFields extends ErrorFields {
  /** File the input came from. */
  readonly path?: string;
  /** Line, from 1. */
  readonly line?: number;
  /** Column of the line, from 1: a field of tabular data, a character of JSON. */
  readonly column?: number;
  /** Byte offset, from 0. */
  readonly offset?: number;
  /** Tensor, node, or key of a record. */
  readonly name?: string;
  /** What was wanted and what was found, where both are short. */
  readonly expected?: string | number;
  readonly got?: string | number;
}

/**
 * An input that does not follow its format, or a file that cannot be read or written: never a bug of this package.
 *
 * Messages read `<operation>: <where>: <what>: expected <x>, got <y>`.
 *
 * @example
 * ```ts
 * throw new FormatError("column-count", "parseConllu: line 12: column count: expected 10, got 9", { line: 12 });
 * ```
 */
export class FormatError extends NastyError<FormatErrorCode, FormatErrorFields> {
  override readonly name = "FormatError";
}
