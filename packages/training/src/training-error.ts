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

export interface TrainingErrorFields {
  /** Name of the node concerned, or its first output if it has no name. */
  readonly node?: string;
  readonly operator?: string;
  readonly tensor?: string;
  readonly step?: number;
  readonly cause?: unknown;
}

/**
 * A graph, batch, option or checkpoint that cannot be trained with.
 *
 * `kind` is "input": the caller can correct it. Anything else thrown by this package is a bug.
 */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
  readonly kind = "input";
  readonly code: TrainingErrorCode;
  readonly node: string | undefined;
  readonly operator: string | undefined;
  readonly tensor: string | undefined;
  readonly step: number | undefined;

  constructor(code: TrainingErrorCode, message: string, fields: TrainingErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.node = fields.node;
    this.operator = fields.operator;
    this.tensor = fields.tensor;
    this.step = fields.step;
  }
}
