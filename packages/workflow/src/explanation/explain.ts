import { exitCodes, GateError, UsageError } from "../errors.js";
import { adviceFor } from "./advice.js";

const systemErrors: Record<string, string> = {
  ENOENT: "no such file or folder; check the path",
  EACCES: "permission denied; choose a path that this user may use",
  EPERM: "permission denied; choose a path that this user may use",
  EROFS: "the file system is read-only; choose another path",
  EISDIR: "this is a folder; give a file",
  ENOTDIR: "a part of this path is not a folder; check the path",
  ENOSPC: "the disk is full; free some space and run again (nothing was replaced)",
  EDQUOT: "the disk quota is used up; free some space and run again (nothing was replaced)",
  EIO: "reading or writing failed; check the disk",
  EPIPE: "the reader has gone",
  EMFILE: "too many open files; raise the limit and run again",
  ENAMETOOLONG: "the name is too long; choose a shorter one",
  ELOOP: "symbolic links lead in a circle; check the path",
};

interface Details extends Error {
  readonly kind?: unknown;
  readonly code?: unknown;
  readonly path?: unknown;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What is said of an error: on standard error in a line, with `--json` on standard output as a document. */
export interface Explanation {
  /** The exit code. */
  readonly code: number;
  /** One sentence. */
  readonly message: string;
  /** The error's own code (of the package, or of the system), and where it was found. */
  readonly details: { readonly code: string } & Readonly<Record<string, unknown>>;
}

/** What engines say when memory runs out; it is the input's size, not a fault of the program. */
const outOfMemory = /Array buffer allocation failed|bad_alloc|Cannot allocate memory|ENOMEM/;

/**
 * Functions by which messages of packages begin, as the house style has it: of use to who calls them, while a user of
 * the command knows files and options.
 */
const operation =
  /^(?:[a-z]+[A-Z]\w*|gunzip|unbrotli|evaluate|(?:dynamic|int4|int8|pruner|compressor|qat|weightOnly|distiller|ModelGraph)\.\w+): /;

/** The exit code, the one-sentence message and the details of anything thrown by a command. */
export function explain(error: unknown): Explanation {
  if (!(error instanceof Error)) {
    return { code: exitCodes.bug, message: oneLine(String(error)), details: { code: "bug" } };
  }
  const message = oneLine(error.message);
  if (error instanceof UsageError) return { code: exitCodes.usage, message, details: { code: "usage" } };
  if (error instanceof GateError) return { code: exitCodes.gate, message, details: { code: "gate" } };
  if (outOfMemory.test(message)) {
    return {
      code: exitCodes.input,
      details: { code: "memory" },
      message: `memory: expected enough for this input, got: ${message}; use a smaller input or a machine with more memory`,
    };
  }
  const { kind, code, path, fields } = error as Details;
  if (kind === "input") {
    const known = typeof code === "string" ? code : "input";
    // The cause is for who debugs: its messages repeat this one.
    const { cause: _cause, ...places } = fields ?? {};
    return {
      code: exitCodes.input,
      message: withAdvice(message.replace(operation, ""), error),
      details: { code: known, ...places },
    };
  }
  if (typeof code === "string" && Object.hasOwn(systemErrors, code)) {
    const where = typeof path === "string" ? path : message;
    const details = { code, ...(typeof path === "string" && { path }) };
    return { code: exitCodes.input, message: `${where}: ${systemErrors[code]}`, details };
  }
  return {
    code: exitCodes.bug,
    details: { code: "bug" },
    message: `${message} (this is a bug in nasty: run again with --debug and report what it prints)`,
  };
}

/** A message says what to do after a semicolon; libraries leave that out where it depends on who calls them. */
function withAdvice(message: string, error: Error): string {
  if (message.includes(";")) return message;
  const { cause } = error;
  const advice = adviceFor(error) ?? (cause instanceof Error ? adviceFor(cause) : undefined);
  return advice === undefined ? message : `${message}; ${advice}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
