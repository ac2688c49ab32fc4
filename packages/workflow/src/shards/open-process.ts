import { startProcess } from "../workers/start-process.js";
import type { WorkerAnswers, WorkerModel, WorkerRequest } from "./worker-messages.js";
import type { ShardWorker } from "./worker.js";

/** A worker in a process of its own, which may be killed at any moment. */
export interface ProcessWorker extends ShardWorker {
  readonly pid: number | undefined;
}

/**
 * Starts a process with a tagger of its own.
 *
 * @throws what opening the tagger throws there; WorkerEnded if the process ends
 */
export async function openProcessWorker(model: WorkerModel): Promise<ProcessWorker> {
  const process = startProcess("shards-worker-process");
  const ask = <K extends WorkerRequest["kind"]>(request: WorkerRequest & { readonly kind: K }) =>
    process.ask(request) as Promise<WorkerAnswers[K]>;
  try {
    const notes = await ask({ kind: "open", model });
    return {
      pid: process.pid,
      notes,
      write: (task, folder) => ask({ kind: "write", task, folder }),
      label: (task, format) => ask({ kind: "label", task, format }),
      close: process.close,
    };
  } catch (error) {
    await process.close();
    throw error;
  }
}
