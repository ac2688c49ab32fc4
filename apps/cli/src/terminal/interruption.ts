import { constants } from "node:os";
import { watchUnfinished } from "@nasty/formats/archive/node";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** An orderly exit: what removes unfinished files listens for it. */
function leave(signal: NodeJS.Signals): never {
  process.exit(128 + constants.signals[signal]);
}

/**
 * Lets a signal end the process at once.
 *
 * A listener of ours runs only when the program comes back to the event loop, which it does not while it parses or
 * matches. So there is one only while there are unfinished files to be removed; otherwise the system ends the process,
 * whatever it is doing.
 */
export function endOnSignals(): void {
  watchUnfinished((any) => {
    for (const signal of signals) {
      if (any) process.on(signal, leave);
      else process.removeListener(signal, leave);
    }
  });
}
