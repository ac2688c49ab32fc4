import { explain } from "../explanation/explain.js";
import { openLocalWorker } from "./local-worker.js";
import type { WorkerReply, WorkerRequest } from "./worker-messages.js";
import type { ShardWorker } from "./worker.js";

// What a worker process runs: one request after the other, as its parent sends them.

let worker: ShardWorker | undefined;

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  try {
    if (request.kind === "open") {
      worker = await openLocalWorker(request.model);
      return { kind: "done", answer: worker.notes };
    }
    if (worker === undefined) throw new Error("worker: expected to be opened first");
    const { task } = request;
    return request.kind === "write"
      ? { kind: "done", answer: await worker.write(task, request.folder) }
      : { kind: "done", answer: await worker.label(task, request.format) };
  } catch (error) {
    return { kind: "failed", explanation: explain(error) };
  }
}

process.on("message", (request: WorkerRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
// Leaving removes what is unfinished. A parent that is gone, killed or not, wants no more.
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => process.exit(143));
// A terminal tells every process; the parent decides.
process.on("SIGINT", () => undefined);
process.on("SIGHUP", () => undefined);
