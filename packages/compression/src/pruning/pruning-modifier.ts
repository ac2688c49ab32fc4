import type { ModelProto } from "@nasty/formats/onnx";
import type { Modifier } from "@nasty/training";
import { CompressionError } from "../compression-error.js";
import { openForCompression } from "../files/open-for-compression.js";
import { applyMasks, magnitudeMasks, masksOf } from "./masks.js";
import type { PruningScope } from "./plan.js";
import { prunableWeights } from "./prunable-weights.js";
import { sparsityAt, type SparsitySchedule } from "./schedule.js";

export interface GradualPruningOptions {
  /** How sparse the weights are at which step. */
  readonly schedule: SparsitySchedule;
  /** Weights that lose elements: names of initializers, such as those of a plan. Default: all that can be pruned. */
  readonly weights?: readonly string[];
  /** One ranking for all weights (default), or each on its own. */
  readonly scope?: PruningScope;
}

const name = "pruning";

/**
 * Prunes weights by magnitude while they train: at each raise of the schedule the smallest elements become zero, and
 * what is zero stays so.
 *
 * The running averages of the weights get the same zeros.
 *
 * @param model the model that is trained; not changed
 * @throws CompressionError `invalid-option` for a schedule out of range, `unsupported` for a model without a weight to
 *   prune or a name that is none; in training `not-finite` naming the weight
 * @see M. Zhu and S. Gupta, "To prune, or not to prune" (2017)
 * @example
 * const modifier = gradualPruning(model, { schedule: { final: 0.3, begin: 100, times: 10, every: 50 } });
 * await trainTagger({ task: "pos", train, validation, modifiers: [modifier] });
 */
export function gradualPruning(model: ModelProto, options: GradualPruningOptions): Modifier {
  const { schedule, scope } = options;
  sparsityAt(0, schedule); // refuses a schedule out of range before anything is trained
  const names = chosenWeights(model, options.weights);
  let share = 0;
  return maskModifier(new Map(), (step, weights) => {
    const wanted = sparsityAt(step, schedule);
    if (wanted === share) return undefined;
    share = wanted;
    const chosen = names.flatMap((weight): [string, Float32Array][] => {
      const values = weights.get(weight);
      return values === undefined ? [] : [[weight, values]];
    });
    return magnitudeMasks(new Map(chosen), wanted, scope);
  });
}

/**
 * Keeps the zeros of a pruned model zero while it trains on.
 *
 * @example
 * const pruned = await pruner.prune(model, { sparsity: 0.3 });
 * await trainFurther({ model: pruned, settings }, data, { modifiers: [keepZeros(pruned)] });
 */
export function keepZeros(model: ModelProto): Modifier {
  return maskModifier(new Map(masksOf(model)), () => undefined);
}

type Masks = Map<string, Uint8Array>;
type NextMasks = (
  step: number,
  weights: ReadonlyMap<string, Float32Array>,
) => ReadonlyMap<string, Uint8Array> | undefined;

function maskModifier(masks: Masks, next: NextMasks): Modifier {
  return {
    name,
    afterStep({ step, weights, averages }) {
      for (const [weight, mask] of next(step, weights) ?? []) masks.set(weight, mask);
      applyMasks(trained(masks, weights), Object.fromEntries(weights));
      if (averages !== undefined) applyMasks(trained(masks, averages), Object.fromEntries(averages));
    },
    state: () => Object.fromEntries([...masks].map(([weight, mask]) => [weight, Float32Array.from(mask)])),
    restore(arrays) {
      for (const [weight, mask] of Object.entries(arrays)) masks.set(weight, Uint8Array.from(mask));
    },
  };
}

/** Masks of what is being trained: a frozen weight keeps its zeros by itself. */
const trained = (masks: Masks, weights: ReadonlyMap<string, Float32Array>): Masks =>
  new Map([...masks].filter(([weight]) => weights.has(weight)));

function chosenWeights(model: ModelProto, wanted: readonly string[] | undefined): string[] {
  const known = prunableWeights(openForCompression(model)).weights.map((weight) => weight.name);
  for (const weight of wanted ?? known) {
    if (known.includes(weight)) continue;
    throw new CompressionError(
      "unsupported",
      `gradualPruning: weight ${JSON.stringify(weight)}: expected one that can be pruned, got none of that name among ${known.length}`,
      { tensor: weight },
    );
  }
  if (known.length === 0) {
    throw new CompressionError(
      "unsupported",
      "gradualPruning: model: weights: expected at least one float32 weight to prune, got none",
    );
  }
  return [...(wanted ?? known)];
}
