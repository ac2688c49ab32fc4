import type { LabelScheme } from "@nasty/formats/iob";
import type { Task } from "@nasty/taggers";
import { given } from "../schema/given-settings.js";
import { readLabelled } from "../texts/labelled-text.js";

/** Settings of what an encoder learns, for `fine-tune` and `distill`. */
interface ClassifierSettings {
  readonly seed: number;
  readonly scheme?: LabelScheme;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
}

/** The settings of a recipe that were given. */
export function classifierRecipe(settings: ClassifierSettings) {
  return {
    seed: settings.seed,
    ...given(settings, "scheme", "epochs", "batchSize", "learningRate"),
  };
}

/** The labelled texts, streamed. */
export function labelledData(
  { train, validation }: { readonly train: string; readonly validation?: string },
  task: Task,
) {
  return {
    train: readLabelled(train, task),
    ...(validation !== undefined && { validation: readLabelled(validation, task) }),
  };
}
