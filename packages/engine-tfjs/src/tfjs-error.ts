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

export interface TfjsErrorFields {
  /** Name of the node or layer concerned. */
  readonly node?: string;
  readonly operator?: string;
  readonly tensor?: string;
  readonly cause?: unknown;
}

/**
 * An install, graph or LayersModel that this package cannot work with.
 *
 * `kind` is "input": the caller can correct it. Anything else thrown by this package is a bug.
 */
export class TfjsError extends Error {
  override readonly name = "TfjsError";
  readonly kind = "input";
  readonly code: TfjsErrorCode;
  readonly node: string | undefined;
  readonly operator: string | undefined;
  readonly tensor: string | undefined;

  constructor(code: TfjsErrorCode, message: string, fields: TfjsErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.node = fields.node;
    this.operator = fields.operator;
    this.tensor = fields.tensor;
  }
}
