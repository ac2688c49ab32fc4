import { constants } from "node:os";
import type { Terminal } from "./console.js";

class Interrupted extends Error {
  override readonly name = "Interrupted";
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Lets a signal end work in good order: workers leave, nothing is half-written, and what is done is kept. A second
 * signal ends it at once.
 *
 * Work that throws the signal's reason ends the process with the signal's code; work that returns has ended well.
 *
 * @param then what is said of an interruption
 */
export async function untilSignal<T>(
  terminal: Terminal,
  then: string,
  work: (reporter: Terminal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let code: number | undefined;
  const heard = (signal: NodeJS.Signals): void => {
    const isSecond = code !== undefined;
    code = 128 + constants.signals[signal];
    if (isSecond) process.exit(code);
    terminal.note(`interrupted: ${then}`);
    controller.abort(new Interrupted(signal));
  };
  for (const signal of signals) process.prependListener(signal, heard);
  try {
    return await work({ ...terminal, signal: controller.signal });
  } catch (error) {
    if (error instanceof Interrupted) process.exit(code);
    throw error;
  } finally {
    for (const signal of signals) process.removeListener(signal, heard);
  }
}
