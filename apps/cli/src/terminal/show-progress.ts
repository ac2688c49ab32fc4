import type { ProgressEvent } from "@nasty/workflow/command";
import { followPace } from "./pace-progress.js";
import { followTraining } from "./training-progress.js";
import type { Console } from "./console.js";

/**
 * Shows what an operation says of its steps: bars on a terminal, a line a step otherwise; trainings in their own way.
 */
export function showProgress(output: Console): (event: ProgressEvent) => void {
  const { bar } = output;
  const training = followTraining(output);
  const pace = followPace(output);
  return ({ step, done, total, state, training: trained, pace: paced }) => {
    if (trained !== undefined) training(trained);
    else if (paced !== undefined) pace(done, paced);
    else if (state === "begin") bar.start(step, total);
    else if (state === "update") bar.update(done);
    else bar.stop();
  };
}
