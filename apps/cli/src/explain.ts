import { exitCodes, GateError, UsageError } from "./exit-codes.js";
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
  EMFILE: "too many open files; raise the limit and run again",
  ENAMETOOLONG: "the name is too long; choose a shorter one",
  ELOOP: "symbolic links lead in a circle; check the path",
};

interface Details extends Error {
  readonly kind?: unknown;
  readonly code?: unknown;
  readonly path?: unknown;
}

/** What engines say when memory runs out; it is the input's size, not a fault of the program. */
const outOfMemory = /Array buffer allocation failed|bad_alloc|Cannot allocate memory|ENOMEM/;

/** The exit code and the one-sentence message for anything thrown by a command. */
export function explain(error: unknown): { readonly code: number; readonly message: string } {
  if (!(error instanceof Error)) return { code: exitCodes.bug, message: oneLine(String(error)) };
  const message = oneLine(error.message);
  if (error instanceof UsageError) return { code: exitCodes.usage, message };
  if (error instanceof GateError) return { code: exitCodes.gate, message };
  if (outOfMemory.test(message)) {
    return {
      code: exitCodes.input,
      message: `memory: expected enough for this input, got: ${message}; use a smaller input or a machine with more memory`,
    };
  }
  const { kind, code, path } = error as Details;
  if (kind === "input") return { code: exitCodes.input, message: withAdvice(message, error) };
  if (typeof code === "string" && code in systemErrors) {
    const where = typeof path === "string" ? path : message;
    return { code: exitCodes.input, message: `${where}: ${systemErrors[code]}` };
  }
  return {
    code: exitCodes.bug,
    message: `${message} (this is a bug in nasty: run again with --debug and report what it prints)`,
  };
}

/** A message says what to do after a semicolon; libraries leave that out where it depends on who calls them. */
function withAdvice(message: string, error: Error): string {
  const advice = message.includes(";") ? undefined : adviceFor(error);
  return advice === undefined ? message : `${message}; ${advice}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
