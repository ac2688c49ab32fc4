import { startProcess } from "../workers/start-process.js";
import type { Outcome } from "./candidate.js";
import type { WorkerRequest } from "./worker-messages.js";
import type { CandidateWorker, WorkerSetup } from "./worker.js";

/** Starts a worker in a process of its own. */
export async function openProcessWorker(setup: WorkerSetup): Promise<CandidateWorker> {
  const { ask, close } = startProcess("sweep-worker-process");
  const request = (one: WorkerRequest): Promise<unknown> => ask(one);
  try {
    await request({ kind: "open", setup });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    begin: async (rung) => void (await request({ kind: "begin", rung })),
    run: async (task) => (await request({ kind: "run", task })) as Outcome,
    close,
  };
}
