/** What was wrong, for programs; the message says it for people. */
export type CalibrationErrorCode =
  | "empty-set"
  | "infinite-value"
  | "invalid-option"
  | "mask-shape"
  | "nan"
  | "no-values"
  | "not-a-table"
  | "too-few-samples"
  | "unknown-tensor"
  | "unsupported-dtype"
  | "unsupported-version";

export interface CalibrationErrorFields {
  readonly cause?: unknown;
  /** Name of the tensor in question. */
  readonly tensor?: string;
  /** Number of the sample, from 0, in the order of the feeds. */
  readonly sample?: number;
}

/**
 * An error about what calibration was given (samples, tensors, options, a table), never a bug of ours.
 *
 * Message form: `<operation>: <where>: <what>: expected <x>, got <y>`.
 */
export class CalibrationError extends Error {
  override readonly name = "CalibrationError";
  readonly kind = "input";
  readonly code: CalibrationErrorCode;
  readonly tensor: string | undefined;
  readonly sample: number | undefined;

  constructor(code: CalibrationErrorCode, message: string, fields: CalibrationErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.tensor = fields.tensor;
    this.sample = fields.sample;
  }
}
