import { type ErrorFields, NastyError } from "@nasty/core";

/** What went wrong, for programs; the message says it for people. */
export type PortableErrorCode =
  | "closed"
  | "no-webassembly"
  | "not-a-model"
  | "out-of-memory"
  | "run-failed"
  | "unknown-output"
  | "unsupported-model"
  | "unsupported-operator"
  | "unsupported-type"
  | "wrong-feed";

export interface PortableErrorFields extends ErrorFields {
  /** The node in question. */
  readonly node?: string;
  /** The operator in question. */
  readonly operator?: string;
  /** The input or output in question. */
  readonly value?: string;
}

/**
 * An error about a model or what it is fed, never a bug of ours.
 *
 * Message form: `<operation>: <where>: <what>: expected <x>, got <y>`.
 */
export class PortableError extends NastyError<PortableErrorCode, PortableErrorFields> {
  override readonly name = "PortableError";

  get node(): string | undefined {
    return this.fields.node;
  }

  get operator(): string | undefined {
    return this.fields.operator;
  }

  get value(): string | undefined {
    return this.fields.value;
  }
}
