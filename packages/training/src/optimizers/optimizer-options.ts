import { compilePattern, type NamePattern } from "@nasty/graph/patterns";
import type { Schedule } from "./schedule.js";

/** Settings of the weights whose names match; of several groups that match, the first counts. */
export interface ParameterGroup {
  readonly weights: NamePattern | readonly NamePattern[];
  /** Factor of the learning rate. Default 1. */
  readonly learningRateFactor?: number;
  /** Instead of the optimizer's weight decay. */
  readonly weightDecay?: number;
  /** True leaves the weights as they are. */
  readonly frozen?: boolean;
}

export type OptimizerKind =
  /** v = μ·v + g; w −= lr·v (Nesterov: lr·(g + μ·v)). Weight decay is added to g. */
  | { readonly kind: "sgd"; readonly momentum?: number; readonly nesterov?: boolean }
  /**
   * m = β₁·m + (1 − β₁)·g; v = β₂·v + (1 − β₂)·g²; w −= lr·m̂ / (√v̂ + ε). In `adam`, weight decay is added to g; in
   * `adamw`, w is multiplied by 1 − lr·decay.
   *
   * Source: D. Kingma and J. Ba, "Adam" (2015), algorithm 1; I. Loshchilov and F. Hutter, "Decoupled Weight Decay
   * Regularization" (2019), algorithm 2.
   */
  | {
      readonly kind: "adam" | "adamw";
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
    };

export interface OptimizerCommon {
  /** Peak learning rate. */
  readonly learningRate: number;
  readonly schedule?: Schedule;
  /** Default 0. Vectors (biases, normalisation) are decayed too unless a group says otherwise. */
  readonly weightDecay?: number;
  readonly groups?: readonly ParameterGroup[];
  /** Gradients are scaled down so that their global norm is at most this. */
  readonly clipNorm?: number;
  /** Averages weights: a = d·a + (1 − d)·w after every step, with d = min(decay, (1 + step)/(10 + step)). */
  readonly averageDecay?: number;
  /**
   * Tables with at least this many elements whose gradients are rows are updated only in those rows (their moments are
   * decayed for the steps missed, their values not moved). Default 2^21.
   */
  readonly lazyFrom?: number;
}

export type OptimizerOptions = OptimizerKind & OptimizerCommon;

/** The settings that hold for one weight. */
export interface WeightSettings {
  readonly learningRateFactor: number;
  readonly weightDecay: number;
  readonly frozen: boolean;
}

function patternsOf(weights: NamePattern | readonly NamePattern[]): readonly NamePattern[] {
  return Array.isArray(weights) ? (weights as readonly NamePattern[]) : [weights as NamePattern];
}

export function settingsOf(name: string, options: OptimizerOptions): WeightSettings {
  // The group that spells the weight's name goes before those with patterns that match it too.
  const group =
    options.groups?.find(({ weights }) => patternsOf(weights).includes(name)) ??
    options.groups?.find(({ weights }) =>
      patternsOf(weights).some((pattern) => compilePattern(pattern)(name)),
    );
  return {
    learningRateFactor: group?.learningRateFactor ?? 1,
    weightDecay: group?.weightDecay ?? options.weightDecay ?? 0,
    frozen: group?.frozen ?? false,
  };
}
