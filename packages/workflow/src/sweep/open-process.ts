import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./candidate.js";
import { type CandidateWorker, WorkerEnded, type WorkerSetup } from "./worker.js";
import type { WorkerReply, WorkerRequest } from "./worker-messages.js";

// What is built of the module, wherever this file runs from.
const script = fileURLToPath(new URL("../../dist/bundle/sweep-worker-process.js", import.meta.url));

/** So long a worker may take to leave before it is made to. */
const patienceMs = 3000;

/** Starts a worker in a process of its own. */
export async function openProcessWorker(setup: WorkerSetup): Promise<CandidateWorker> {
  const child = fork(script, [], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const close = async (): Promise<void> => {
    if (hasEnded(child)) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await ended;
    clearTimeout(timer);
  };
  try {
    await answerOf(child, { kind: "open", setup });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    begin: async (rung) => void (await answerOf(child, { kind: "begin", rung })),
    run: async (task) => (await answerOf(child, { kind: "run", task })) as Outcome,
    close,
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

function answerOf(child: ChildProcess, request: WorkerRequest): Promise<Outcome | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      child.off("message", heard);
      child.off("exit", left);
      child.off("error", failed);
      end();
    };
    const heard = (reply: WorkerReply): void =>
      settle(() =>
        reply.kind === "done" ? resolve(reply.outcome) : reject(new Error(reply.explanation.message)),
      );
    const left = (code: number | null, signal: NodeJS.Signals | null): void =>
      settle(() => reject(new WorkerEnded(`its process ended by ${signal ?? `itself with code ${code}`}`)));
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
