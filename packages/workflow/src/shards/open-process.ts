import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { exitCodes, InputError, UsageError } from "../errors.js";
import type { Explanation } from "../explanation/explain.js";
import type { WorkerAnswers, WorkerModel, WorkerReply, WorkerRequest } from "./worker-messages.js";
import { type ShardWorker, WorkerEnded } from "./worker.js";

// The compiled module, wherever this file runs from.
const script = fileURLToPath(new URL("../../dist/shards/worker-process.js", import.meta.url));

/** So long a worker may take to leave before it is made to. */
const patienceMs = 3000;

/** A worker in a process of its own, which may be killed at any moment. */
export interface ProcessWorker extends ShardWorker {
  readonly pid: number | undefined;
}

/**
 * Starts a process with a tagger of its own.
 *
 * @throws what opening the tagger throws there; {@link WorkerEnded} if the process ends
 */
export async function openProcessWorker(model: WorkerModel): Promise<ProcessWorker> {
  const child = fork(script, [], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const ask = <K extends WorkerRequest["kind"]>(request: WorkerRequest & { readonly kind: K }) =>
    answerOf(child, request) as Promise<WorkerAnswers[K]>;
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await ended;
    clearTimeout(timer);
  };
  try {
    const notes = await ask({ kind: "open", model });
    return {
      pid: child.pid,
      notes,
      write: (task, folder) => ask({ kind: "write", task, folder }),
      label: (task, format) => ask({ kind: "label", task, format }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function answerOf(child: ChildProcess, request: WorkerRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      child.off("message", heard);
      child.off("exit", left);
      child.off("error", failed);
      end();
    };
    const heard = (reply: WorkerReply): void =>
      settle(() => (reply.kind === "done" ? resolve(reply.answer) : reject(errorOf(reply.explanation))));
    const left = (code: number | null, signal: NodeJS.Signals | null): void =>
      settle(() =>
        reject(new WorkerEnded(`a worker process ended by ${signal ?? `itself with code ${code}`}`)),
      );
    const failed = (error: Error): void => settle(() => reject(new WorkerEnded(error.message)));
    if (child.exitCode !== null || child.signalCode !== null) {
      left(child.exitCode, child.signalCode);
      return;
    }
    child.on("message", heard);
    child.on("exit", left);
    child.on("error", failed);
    child.send(request, (error) => {
      // Its end says more.
      if (error !== null && child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    });
  });
}

/** An error of a worker, as an error of this process that is explained in the same words. */
function errorOf({ code, message, details }: Explanation): Error {
  if (code === exitCodes.input) return Object.assign(new InputError(message), { code: details.code });
  if (code === exitCodes.usage) return new UsageError(message);
  return new Error(message);
}
