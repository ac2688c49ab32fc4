/** Where an error was found, and the error underneath; each package has a type of its own. */
export interface ErrorFields {
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * Unusable input: what a caller can repair, as opposed to a bug, which is any other `Error`.
 *
 * Every package throws a class of its own (`CoreError`, `FormatError`, …) with a closed list of codes, and all of them
 * are this one. Messages read `<operation>: <where>: <what>: expected <x>, got <y>`.
 *
 * @example
 * ```ts
 * if (error instanceof NastyError) console.error(error.name, error.code, error.fields);
 * ```
 */
export abstract class NastyError<
  Code extends string = string,
  Fields extends ErrorFields = ErrorFields,
> extends Error {
  /** Name of the class. */
  abstract override readonly name: string;
  /** Tells bad input from a bug without the class at hand. */
  readonly kind = "input";
  /** What was wrong, for programs; the message says it for people. */
  readonly code: Code;
  /** Where it was found; every field that is known is set. */
  readonly fields: Fields;

  constructor(code: Code, message: string, fields?: Fields) {
    super(message, fields?.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.fields = fields ?? ({} as Fields);
  }
}
