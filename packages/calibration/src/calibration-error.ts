import { type ErrorFields, NastyError } from "@nasty/core";

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

export interface CalibrationErrorFields extends ErrorFields {
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
export class CalibrationError extends NastyError<CalibrationErrorCode, CalibrationErrorFields> {
  override readonly name = "CalibrationError";

  get tensor(): string | undefined {
    return this.fields.tensor;
  }

  get sample(): number | undefined {
    return this.fields.sample;
  }
}
