import { type ErrorFields, NastyError } from "@nasty/core";

/** What went wrong, as a stable identifier. */
export type TfjsErrorCode =
  | "not-installed"
  | "backend-unavailable"
  | "unsupported-operator"
  | "unsupported-attribute"
  | "unsupported-type"
  | "unsupported-layer"
  | "invalid-model"
  | "invalid-weights"
  // Import of layers models
  | "unsupported-option"
  | "missing-weight"
  | "unused-weight"
  | "weight-shape"
  | "truncated-weights"
  | "not-finite"
  | "unsafe-path"
  | "not-found";

export interface TfjsErrorFields extends ErrorFields {
  /** Name of the node or layer concerned. */
  readonly node?: string;
  readonly operator?: string;
  readonly tensor?: string;
}

/**
 * An install, graph or LayersModel that this package cannot work with.
 *
 * `kind` is "input": the caller can correct it. Anything else thrown by this package is a bug.
 */
export class TfjsError extends NastyError<TfjsErrorCode, TfjsErrorFields> {
  override readonly name = "TfjsError";

  get node(): string | undefined {
    return this.fields.node;
  }

  get operator(): string | undefined {
    return this.fields.operator;
  }

  get tensor(): string | undefined {
    return this.fields.tensor;
  }
}
