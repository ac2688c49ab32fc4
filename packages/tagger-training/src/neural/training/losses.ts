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
  return [...labelLosses(recipe, { soft, sequenceLength }), ...others];
}

/** The losses of the task's own labels. */
function labelLosses({ labelSmoothing }: Recipe, { soft, sequenceLength }: LossOptions): Loss[] {
  if (sequenceLength !== undefined) {
    const sequences = {
      name: "labels",
      emissions: logitsOutput,
      ...chainOutputs,
      weight: 1 / sequenceLength,
    } as const;
    return soft === undefined
      ? [{ kind: "crf", ...sequences, labels: labelsInput(logitsOutput) }]
      : [{ kind: "soft-crf", ...sequences, targets: softInputs.targets, pairs: softInputs.pairs }];
  }
  const alpha = soft?.alpha ?? 0;
  const right: Loss = {
    kind: "cross-entropy",
    name: "labels",
    logits: logitsOutput,
    labels: labelsInput(logitsOutput),
    labelSmoothing,
    weight: 1 - alpha,
  };
  const taught: Loss = {
    kind: "kl",
    name: "soft",
    logits: logitsOutput,
    teacher: softInputs.targets,
    mask: softInputs.words,
    temperature: soft?.temperature ?? 1,
    weight: alpha,
  };
  return [...(alpha < 1 ? [right] : []), ...(alpha > 0 ? [taught] : [])];
}
