import { auxiliaryOutput, chainOutputs, logitsOutput } from "@nasty/taggers/neural";
import type { Loss } from "@nasty/training";
import type { LabelSets } from "./label-sets.js";
import type { Recipe } from "./recipe.js";
import type { SoftTargets } from "./soft-targets.js";
import { labelsInput, softInputs } from "./training-batches.js";

interface LossOptions {
  readonly soft: SoftTargets | undefined;
  /** Mean length of the sentences, where label sequences have scores. */
  readonly sequenceLength: number | undefined;
}

/** The losses that a training adds up: of the task's own labels, of what teachers think, and of each auxiliary head. */
export function lossesOf(
  { auxiliary }: LabelSets,
  recipe: Recipe,
  { soft, sequenceLength }: LossOptions,
): Loss[] {
  const { labelSmoothing, auxiliaryWeight } = recipe;
  const alpha = soft?.alpha ?? 0;
  const own: Loss =
    sequenceLength !== undefined && soft?.pairs !== undefined
      ? {
          kind: "soft-crf",
          name: "labels",
          emissions: logitsOutput,
          ...chainOutputs,
          targets: softInputs.targets,
          pairs: softInputs.pairs,
          weight: 1 / sequenceLength,
        }
      : sequenceLength === undefined
        ? {
            kind: "cross-entropy",
            name: "labels",
            logits: logitsOutput,
            labels: labelsInput(logitsOutput),
            labelSmoothing,
            weight: 1 - alpha,
          }
        : {
            kind: "crf",
            name: "labels",
            emissions: logitsOutput,
            ...chainOutputs,
            labels: labelsInput(logitsOutput),
            weight: 1 / sequenceLength,
          };
  const others = Object.keys(auxiliary).map((head): Loss => {
    const logits = auxiliaryOutput(head);
    return {
      kind: "cross-entropy",
      name: head,
      logits,
      labels: labelsInput(logits),
      weight: auxiliaryWeight,
      labelSmoothing,
    };
  });
  const taught: Loss[] =
    soft === undefined || soft.pairs !== undefined || alpha === 0
      ? []
      : [
          {
            kind: "kl",
            name: "soft",
            logits: logitsOutput,
            teacher: softInputs.targets,
            mask: softInputs.words,
            temperature: soft.temperature,
            weight: alpha,
          },
        ];
  return [...(alpha < 1 || soft?.pairs !== undefined ? [own] : []), ...taught, ...others];
}
