import { explain } from "../explanation/explain.js";
import { openLocalWorker } from "./local-worker.js";
import type { CandidateWorker } from "./worker.js";
import type { WorkerReply, WorkerRequest } from "./worker-messages.js";

// What a worker process runs: one request after the other, as its parent sends them.

let worker: CandidateWorker | undefined;

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  try {
    if (request.kind === "open") {
      worker = openLocalWorker(request.setup);
      return { kind: "done", outcome: undefined };
    }
    if (worker === undefined) throw new Error("worker: expected to be opened first");
    if (request.kind === "run") return { kind: "done", outcome: await worker.run(request.task) };
    await worker.begin(request.rung);
    return { kind: "done", outcome: undefined };
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
