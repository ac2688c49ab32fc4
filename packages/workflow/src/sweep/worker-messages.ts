import type { Explanation } from "../explanation/explain.js";
import type { CandidateTask, Outcome } from "./candidate.js";
import type { BegunRung, WorkerSetup } from "./worker.js";

/** What a worker process is asked, one after the other. */
export type WorkerRequest =
  | { readonly kind: "open"; readonly setup: WorkerSetup }
  | { readonly kind: "begin"; readonly rung: BegunRung }
  | { readonly kind: "run"; readonly task: CandidateTask };

export type WorkerReply =
  | { readonly kind: "done"; readonly outcome: Outcome | undefined }
  | { readonly kind: "failed"; readonly explanation: Explanation };
