import { answerRequests } from "../workers/answer-requests.js";
import { openLocalWorker } from "./local-worker.js";
import type { WorkerAnswers, WorkerRequest } from "./worker-messages.js";
import type { ShardWorker } from "./worker.js";

// What a worker process runs.

let worker: ShardWorker | undefined;

answerRequests(async (request: WorkerRequest): Promise<WorkerAnswers[WorkerRequest["kind"]]> => {
  if (request.kind === "open") {
    worker = await openLocalWorker(request.model);
    return worker.notes;
  }
  if (worker === undefined) throw new Error("worker: expected to be opened first");
  const { task } = request;
  return request.kind === "write" ? worker.write(task, request.folder) : worker.label(task, request.format);
});
