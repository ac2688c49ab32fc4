import type { Engine } from "@nasty/training";
import { trainingEngine } from "../operations/shared-options.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";

/** What computes losses and gradients of a training. */
export type EngineName = SettingsOf<{ readonly engine: typeof trainingEngine }>["engine"];

/**
 * The engine to train with, as an option of trainings; none for the default one. TensorFlow.js is loaded only here, and
 * only when it is asked for.
 */
export async function chosenEngine(
  name: EngineName,
  reporter: Reporter,
): Promise<{ readonly engine?: Engine }> {
  if (name !== "tensorflow") return {};
  const { tensorflowEngine } = await import("@nasty/engine-tfjs");
  return {
    engine: tensorflowEngine({
      onBackend(backend, notes) {
        for (const note of notes) reporter.note(note);
        reporter.note(`TensorFlow.js computes on its ${backend} backend`);
      },
    }),
  };
}

/** How a history names an engine: the default one is not worth a word. */
export function engineInHistory(name: EngineName): { readonly engine?: EngineName } {
  return name === trainingEngine.fallback ? {} : { engine: name };
}
