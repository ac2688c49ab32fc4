import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { exitCodes, InputError, UsageError } from "../errors.js";
import type { Explanation } from "../explanation/explain.js";

/** So long a process may take to leave before it is made to. */
const patienceMs = 3000;

/** A worker whose process ended while it had something to do: killed, or out of memory. */
export class WorkerEnded extends Error {
  override readonly name = "WorkerEnded";
}

/** What `answerRequests` of a process sends back. */
export type Reply =
  | { readonly kind: "done"; readonly answer: unknown }
  | { readonly kind: "failed"; readonly explanation: Explanation };

/** A process that answers requests, one after the other; it may be killed at any moment. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** @throws what answering throws there, with the same words; {@link WorkerEnded} if the process ends */
  ask(request: object): Promise<unknown>;
  /** Ends it at once, whatever it is doing. */
  close(): Promise<void>;
}

/** @param name of a bundle of this package, whose module calls `answerRequests` */
export function startProcess(name: string): WorkerProcess {
  // What is built, wherever this file runs from.
  const script = fileURLToPath(new URL(`../../dist/bundle/${name}.js`, import.meta.url));
  const child = fork(script, [], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  return {
    pid: child.pid,
    ask: (request) => answerOf(child, request),
    async close() {
      if (hasEnded(child)) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

function answerOf(child: ChildProcess, request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      child.off("message", heard);
      child.off("exit", left);
      child.off("error", failed);
      end();
    };
    const heard = (reply: Reply): void =>
      settle(() => (reply.kind === "done" ? resolve(reply.answer) : reject(errorOf(reply.explanation))));
    const left = (code: number | null, signal: NodeJS.Signals | null): void =>
      settle(() =>
        reject(new WorkerEnded(`a worker process ended by ${signal ?? `itself with code ${code}`}`)),
      );
    const failed = (error: Error): void => settle(() => reject(new WorkerEnded(error.message)));
    if (hasEnded(child)) {
      left(child.exitCode, child.signalCode);
      return;
    }
    child.on("message", heard);
    child.on("exit", left);
    child.on("error", failed);
    child.send(request, (error) => {
      // Its end says more.
      if (error !== null && !hasEnded(child)) child.kill("SIGKILL");
    });
  });
}

/** An error of a worker, as an error of this process that is explained in the same words. */
function errorOf({ code, message, details }: Explanation): Error {
  if (code === exitCodes.input) return Object.assign(new InputError(message), { code: details.code });
  if (code === exitCodes.usage) return new UsageError(message);
  return new Error(message);
}
