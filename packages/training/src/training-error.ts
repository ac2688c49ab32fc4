import { type ErrorFields, NastyError } from "@nasty/core";

/** What went wrong, as a stable identifier. */
export type TrainingErrorCode =
  | "unsupported-operator"
  | "unsupported-attribute"
  | "unsupported-type"
  | "unsupported-opset"
  | "unknown-tensor"
  | "unknown-weight"
  | "no-match"
  | "no-gradient"
  | "invalid-option"
  | "invalid-batch"
  | "non-finite-loss"
  | "checkpoint-mismatch"
  | "checkpoint-format"
  | "quantization-record";

export interface TrainingErrorFields extends ErrorFields {
  /** Name of the node concerned, or its first output if it has no name. */
  readonly node?: string;
  readonly operator?: string;
  readonly tensor?: string;
  readonly step?: number;
}

/**
 * A graph, batch, option or checkpoint that cannot be trained with.
 *
 * `kind` is "input": the caller can correct it. Anything else thrown by this package is a bug.
 */
export class TrainingError extends NastyError<TrainingErrorCode, TrainingErrorFields> {
  override readonly name = "TrainingError";

  get node(): string | undefined {
    return this.fields.node;
  }

  get operator(): string | undefined {
    return this.fields.operator;
  }

  get tensor(): string | undefined {
    return this.fields.tensor;
  }

  get step(): number | undefined {
    return this.fields.step;
  }
}
