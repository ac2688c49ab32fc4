/** What went wrong, for programs; the message says it for people. */
export type CompressionErrorCode =
  | "invalid-option"
  | "no-such-layer"
  | "no-such-tensor"
  | "nothing-to-quantize"
  | "already-quantized"
  | "not-finite"
  | "no-calibration-data"
  | "missing-range"
  | "plan-mismatch"
  | "no-trained-ranges"
  | "scale-mismatch"
  | "target-missed"
  | "invalid-recipe"
  | "invalid-state"
  | "unsupported";

export interface CompressionErrorFields {
  /** Name of the weight or activation that the error is about. */
  readonly tensor?: string;
  /** Name of the node that the error is about. */
  readonly node?: string;
  /** Operator of that node. */
  readonly op?: string;
  /** Line and column of a recipe, from 1. */
  readonly line?: number;
  readonly column?: number;
  readonly cause?: unknown;
}

/**
 * Bad input to a compression step: the caller can repair it.
 *
 * Messages read `<operation>: <where>: <what>: expected <x>, got <y>`.
 */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
  readonly kind = "input";
  readonly code: CompressionErrorCode;
  readonly tensor: string | undefined;
  readonly node: string | undefined;
  readonly op: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(code: CompressionErrorCode, message: string, fields: CompressionErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.tensor = fields.tensor;
    this.node = fields.node;
    this.op = fields.op;
    this.line = fields.line;
    this.column = fields.column;
  }
}
