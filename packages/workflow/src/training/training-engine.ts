import type { Engine } from "@nasty/training";
import type { Reporter } from "../reporter.js";

export const engineNames = ["onnx", "tensorflow"] as const;

/** What computes losses and gradients of a training. */
export type EngineName = (typeof engineNames)[number];

export const defaultEngine: EngineName = "onnx";

/**
 * The engine to train with, as an option of trainings; none for the default one. TensorFlow.js is loaded only here, and only when it
 * is asked for.
 */
export async function chosenEngine(
  name: EngineName | undefined,
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
export function engineInHistory(name: EngineName | undefined): { readonly engine?: EngineName } {
  return name === undefined || name === defaultEngine ? {} : { engine: name };
}
