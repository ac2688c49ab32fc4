import { NastyError } from "./nasty-error.js";

/** What was wrong with the input, as a closed list that callers can switch on. */
export type CoreErrorCode =
  | "shape"
  | "data-length"
  | "dtype"
  | "axis"
  | "block-size"
  | "scheme"
  | "range"
  | "scale"
  | "zero-point"
  | "not-finite"
  | "length"
  | "bits";

/** Values that take part in the message, for callers that build their own. */
export type CoreErrorFields = Readonly<Record<string, string | number | readonly number[]>>;

/**
 * Unusable input of a function of this package.
 *
 * Message: `<operation>: <where>: <what>: expected <x>, got <y>`. `kind` is always `"input"`, which tells bad input
 * from a bug (any other `Error`).
 *
 * @example
 * try { tensor("float32", [2], new Float32Array(3)); } catch (error) { error.code === "data-length"; }
 */
export class CoreError extends NastyError<CoreErrorCode, CoreErrorFields> {
  override readonly name = "CoreError";
}
