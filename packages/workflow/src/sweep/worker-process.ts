import { answerRequests } from "../workers/answer-requests.js";
import type { Outcome } from "./candidate.js";
import { openLocalWorker } from "./local-worker.js";
import type { CandidateWorker } from "./worker.js";
import type { WorkerRequest } from "./worker-messages.js";

// What a worker process runs.

let worker: CandidateWorker | undefined;

answerRequests(async (request: WorkerRequest): Promise<Outcome | undefined> => {
  if (request.kind === "open") {
    worker = openLocalWorker(request.setup);
    return undefined;
  }
  if (worker === undefined) throw new Error("worker: expected to be opened first");
  if (request.kind === "run") return worker.run(request.task);
  await worker.begin(request.rung);
  return undefined;
});
