import type { ModelProto } from "@nasty/formats/onnx";
import type { QuantizationResult } from "../rewrite/finish-quantization.js";
import { keepInFloat, layerGroups } from "../plan/layer-groups.js";
import type { QuantizationPlan } from "../plan/plan.js";
import { prepare, type ApplyOptions } from "../modes/prepare.js";
import { nextKept } from "./next-kept.js";

/** One written and evaluated model. */
export interface GateAttempt {
  /** Groups left in float: the first ones of the ranking. */
  readonly kept: number;
  readonly value: number;
}

/** All that is needed to go on later: plain data. */
export interface GateState {
  readonly schemaVersion: 1;
  readonly original: number;
  /** Groups by name, most sensitive first; none before the first attempt failed. */
  readonly ranking: readonly string[];
  readonly attempts: readonly GateAttempt[];
}

/** A model that is about to be judged. */
export interface GateCandidate extends QuantizationResult {
  readonly keptInFloat: readonly string[];
}

export interface GateOptions extends ApplyOptions {
  /** Name of the metric, for the result: accuracy, f1. */
  readonly metric: string;
  /** Value of the float model. */
  readonly original: number;
  /** Largest loss that passes, in units of the metric: 0.01 is one point. */
  readonly target: number;
  /** Writes the candidate and measures the written file; larger is better. */
  readonly evaluate: (candidate: GateCandidate) => Promise<number>;
  /** Names of groups, most sensitive first; asked once, and only if the first attempt fails. None means no search. */
  readonly rank?: () => Promise<readonly string[]>;
  /** After this many milliseconds no new attempt is begun. Default no limit. */
  readonly timeBudget?: number;
  /** Where an earlier search stopped; its attempts are not made again. */
  readonly state?: GateState;
  /** Called after each attempt; `isBest` if no earlier one was better, so that the caller can keep the file. */
  readonly onAttempt?: (progress: {
    readonly state: GateState;
    readonly candidate: GateCandidate;
    readonly isBest: boolean;
  }) => void | Promise<void>;
}

/** What the gate found; the figures are those of `model`. */
export interface GateResult {
  readonly metric: string;
  readonly original: number;
  readonly quantized: number;
  readonly loss: number;
  readonly target: number;
  readonly passed: boolean;
  /** Weights left in float to pass, most sensitive first. */
  readonly keptInFloat: readonly string[];
  /** The time was up before the smallest number of them was known. */
  readonly outOfTime: boolean;
  readonly state: GateState;
  readonly candidate: GateCandidate;
}

/** Rounding of two metrics' difference is no loss. */
const slack = 1e-12;

/**
 * Whether a loss is allowed: one equal to the target is. The one rule of every gate.
 *
 * @param loss original − changed, in units of the metric (0.01 is 1 point)
 * @example withinLoss(0.9 - 0.89, 0.01) // true, although the difference is 0.010000000000000009
 */
export const withinLoss = (loss: number, target: number): boolean => loss <= target + slack;

/** Fewest kept among those that pass, else the smallest loss. */
function bestOf(
  attempts: readonly GateAttempt[],
  passes: (attempt: GateAttempt) => boolean,
): GateAttempt | undefined {
  const passing = attempts.filter(passes).sort((a, b) => a.kept - b.kept);
  return passing[0] ?? [...attempts].sort((a, b) => b.value - a.value || a.kept - b.kept)[0];
}

/**
 * Judges a plan by the file that it makes, and leaves the most sensitive weights in float, as few as possible, until
 * the loss is small enough.
 *
 * The number of weights is doubled until an attempt passes, then halved in between; a model with every weight in float
 * is no result.
 *
 * @param model the model that the plan was made for; not changed
 * @returns the best candidate; `passed` is false if it missed the target
 * @throws CompressionError as the mode's apply
 * @example const { passed, keptInFloat } = await gate(model, plan, { metric: "accuracy", original, target: 0.001,
 *   evaluate, rank });
 */
export async function gate(
  model: ModelProto,
  plan: QuantizationPlan,
  options: GateOptions,
): Promise<GateResult> {
  const {
    metric,
    original,
    target,
    evaluate,
    rank,
    timeBudget = Number.POSITIVE_INFINITY,
    onAttempt,
  } = options;
  const started = performance.now();
  const passes = ({ value }: GateAttempt): boolean => withinLoss(original - value, target);
  const apply = await prepare(model, plan, options);
  let state: GateState = options.state ?? { schemaVersion: 1, original, ranking: [], attempts: [] };
  let held: { readonly kept: number; readonly candidate: GateCandidate } | undefined;

  const candidateOf = (kept: number): GateCandidate => {
    if (held?.kept === kept) return held.candidate;
    const names = state.ranking.slice(0, kept);
    if (kept === 0) return { ...apply(plan), keptInFloat: names };
    const part = keepInFloat(plan, names, "left in float by the accuracy gate");
    // The history of the model is made of the options: what the gate decided belongs to them.
    return { ...apply({ ...part, options: { ...part.options, keptInFloat: names } }), keptInFloat: names };
  };
  const attempt = async (kept: number): Promise<void> => {
    const candidate = candidateOf(kept);
    const value = await evaluate(candidate);
    const before = bestOf(state.attempts, passes);
    const made = { kept, value };
    state = { ...state, attempts: [...state.attempts, made] };
    const isBest = before === undefined || bestOf(state.attempts, passes) === made;
    if (isBest) held = { kept, candidate };
    await onAttempt?.({ state, candidate, isBest });
  };

  if (state.attempts.length === 0) await attempt(0);
  let outOfTime = false;
  if (!state.attempts.some((made) => made.kept === 0 && passes(made)) && rank !== undefined) {
    if (state.ranking.length === 0) {
      const known = new Set(layerGroups(plan).map(({ name }) => name));
      state = { ...state, ranking: (await rank()).filter((name) => known.has(name)) };
    }
    for (;;) {
      const kept = nextKept(
        state.attempts.map((made) => ({ kept: made.kept, passed: passes(made) })),
        layerGroups(plan).length - 1,
      );
      if (kept === undefined) break;
      outOfTime = performance.now() - started >= timeBudget;
      if (outOfTime) break;
      await attempt(kept);
    }
  }
  const best = bestOf(state.attempts, passes) as GateAttempt;
  const candidate = candidateOf(best.kept);
  return {
    metric,
    original,
    quantized: best.value,
    loss: original - best.value,
    target,
    passed: passes(best),
    keptInFloat: candidate.keptInFloat,
    outOfTime,
    state,
    candidate,
  };
}
