/** What went wrong, for programs; the message says it for people. */
export type RuntimeErrorCode =
  | "closed"
  | "device-unavailable"
  | "invalid-option"
  | "load-failed"
  | "measurement-failed"
  | "missing-input"
  | "needs-native"
  | "no-runtime"
  | "not-a-model"
  | "not-found"
  | "run-failed"
  | "unknown-input"
  | "unknown-output"
  | "unsupported-model"
  | "unsupported-operator"
  | "unsupported-type"
  | "wrong-dtype"
  | "wrong-shape";

export interface RuntimeErrorFields {
  readonly cause?: unknown;
  /** The input or output in question. */
  readonly value?: string;
  /** The node that the runtime was at, as the runtime names it. */
  readonly node?: string;
  /** The operator in question. */
  readonly operator?: string;
}

/**
 * An error about what was given to the runtime (a model, an option, a feed), never a bug of ours.
 *
 * Message form: `<operation>: <where>: <what>: expected <x>, got <y>`.
 */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly kind = "input";
  readonly code: RuntimeErrorCode;
  readonly value: string | undefined;
  readonly node: string | undefined;
  readonly operator: string | undefined;

  constructor(code: RuntimeErrorCode, message: string, fields: RuntimeErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.value = fields.value;
    this.node = fields.node;
    this.operator = fields.operator;
  }
}
