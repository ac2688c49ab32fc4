/** Exit codes of the command: done, a bug, wrong usage, unusable input, accuracy gate failed. */
export const exitCodes = { done: 0, bug: 1, usage: 2, input: 3, gate: 4 } as const;

/** Wrong usage that the argument parser cannot see (exit code 2). */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Unusable input found by the command itself rather than by a package (exit code 3). */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly kind = "input";
}

/** The accuracy gate refused the model (exit code 4). */
export class GateError extends Error {
  override readonly name = "GateError";
}

const systemErrors: Record<string, string> = {
  ENOENT: "no such file or folder; check the path",
  EACCES: "permission denied; choose a path that this user may use",
  EPERM: "permission denied; choose a path that this user may use",
  EROFS: "the file system is read-only; choose another path",
  EISDIR: "this is a folder; give a file",
  ENOTDIR: "a part of this path is not a folder; check the path",
  ENOSPC: "the disk is full; free some space and run again (nothing was replaced)",
  EMFILE: "too many open files; raise the limit and run again",
};

interface SystemError extends Error {
  code?: string;
  path?: string;
  syscall?: string;
}

/** The exit code and the one-sentence message for anything thrown by a command. */
export function explain(error: unknown): { code: number; message: string } {
  if (error instanceof UsageError) return { code: exitCodes.usage, message: error.message };
  if (error instanceof GateError) return { code: exitCodes.gate, message: error.message };
  if (!(error instanceof Error)) return { code: exitCodes.bug, message: String(error) };
  if ((error as { kind?: unknown }).kind === "input")
    return { code: exitCodes.input, message: error.message };
  const { code, path } = error as SystemError;
  if (code !== undefined && code in systemErrors) {
    return { code: exitCodes.input, message: `${path ?? error.message}: ${systemErrors[code]}` };
  }
  return {
    code: exitCodes.bug,
    message: `${error.message} (this is a bug in nasty: run again with --debug and report what it prints)`,
  };
}
