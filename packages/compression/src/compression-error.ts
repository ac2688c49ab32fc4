import { type ErrorFields, NastyError } from "@nasty/core";

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

export interface CompressionErrorFields extends ErrorFields {
  /** Name of the weight or activation that the error is about. */
  readonly tensor?: string;
  /** Name of the node that the error is about. */
  readonly node?: string;
  /** Operator of that node. */
  readonly op?: string;
  /** Line and column of a recipe, from 1. */
  readonly line?: number;
  readonly column?: number;
}

/**
 * Bad input to a compression step: the caller can repair it.
 *
 * Messages read `<operation>: <where>: <what>: expected <x>, got <y>`.
 */
export class CompressionError extends NastyError<CompressionErrorCode, CompressionErrorFields> {
  override readonly name = "CompressionError";

  get tensor(): string | undefined {
    return this.fields.tensor;
  }

  get node(): string | undefined {
    return this.fields.node;
  }

  get op(): string | undefined {
    return this.fields.op;
  }

  get line(): number | undefined {
    return this.fields.line;
  }

  get column(): number | undefined {
    return this.fields.column;
  }
}
