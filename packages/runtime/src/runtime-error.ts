import { type ErrorFields, NastyError } from "@nasty/core";

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

export interface RuntimeErrorFields extends ErrorFields {
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
export class RuntimeError extends NastyError<RuntimeErrorCode, RuntimeErrorFields> {
  override readonly name = "RuntimeError";

  get value(): string | undefined {
    return this.fields.value;
  }

  get node(): string | undefined {
    return this.fields.node;
  }

  get operator(): string | undefined {
    return this.fields.operator;
  }
}
