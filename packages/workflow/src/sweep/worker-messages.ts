import type { CandidateTask } from "./candidate.js";
import type { BegunRung, WorkerSetup } from "./worker.js";

/** What a worker process is asked, one after the other. */
export type WorkerRequest =
  | { readonly kind: "open"; readonly setup: WorkerSetup }
  | { readonly kind: "begin"; readonly rung: BegunRung }
  | { readonly kind: "run"; readonly task: CandidateTask };
