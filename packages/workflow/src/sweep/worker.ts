import type { LabelChoice } from "@nasty/taggers";
import type { Verdict } from "../kinds/kind.js";
import type { RecipeContext } from "../recipes/steps/step-kind.js";
import type { CandidateTask, Outcome } from "./candidate.js";
import type { Rung } from "./ladder.js";

/** What a worker knows from the beginning. */
export interface WorkerSetup {
  readonly validation: string;
  readonly choice: LabelChoice;
  readonly inputFormat: readonly string[];
  readonly context: Omit<RecipeContext, "reporter">;
}

/** A rung, with what the original said to its samples. */
export interface BegunRung extends Pick<Rung, "stride"> {
  readonly reference: Verdict;
}

/** Makes and judges recipes, one after the other. */
export interface CandidateWorker {
  /** What later tasks are judged on. */
  begin(rung: BegunRung): Promise<void>;
  /** @throws WorkerEnded if the worker is gone; what is no fault of the recipe */
  run(task: CandidateTask): Promise<Outcome>;
  close(): Promise<void>;
}
