import { chooseScale } from "@nasty/core";
import type { ChosenOptions } from "./options.js";
import type { TrainedActivation } from "./record.js";

/** Ranges of activations while they are learnt. */
export interface Ranges {
  /** Batches that were averaged. */
  count(): number;
  /** Takes in the smallest and largest values of a batch, one of each an activation. */
  observe(minima: ArrayLike<number>, maxima: ArrayLike<number>): void;
  range(index: number): TrainedActivation;
  state(): { readonly minima: Float32Array; readonly maxima: Float32Array; readonly count: Float32Array };
  restore(state: Readonly<Record<string, Float32Array>>): void;
}

/**
 * Moving averages, in float32, of batch minima and maxima: old + c·(new − old), with c = max(averaging, 1/n) at the
 * n-th batch, so that the first batch does not count for more than others.
 */
export function movingRanges(activations: number, { averaging }: Pick<ChosenOptions, "averaging">): Ranges {
  const [minima, maxima, count] = [
    new Float32Array(activations),
    new Float32Array(activations),
    new Float32Array(1),
  ];
  const seen = (): number => count[0] as number;
  return {
    count: seen,
    observe(low, high) {
      // Counted as far as it matters: float32 holds no more than 2^24.
      count[0] = Math.min(seen() + 1, 2 ** 24);
      const constant = Math.max(averaging, 1 / seen());
      for (let i = 0; i < activations; i++) {
        const [min, max] = [minima[i] as number, maxima[i] as number];
        minima[i] = min + constant * (Math.min(0, low[i] as number) - min);
        maxima[i] = max + constant * (Math.max(0, high[i] as number) - max);
      }
    },
    range(index) {
      // No −0, which JSON does not have.
      const [min, max] = [(minima[index] as number) + 0, (maxima[index] as number) + 0];
      return { min, max, ...chooseScale(min, max, { dtype: "uint8", symmetric: false }) };
    },
    state: () => ({ minima, maxima, count }),
    restore(state) {
      minima.set(state["minima"] ?? []);
      maxima.set(state["maxima"] ?? []);
      count.set(state["count"] ?? [0]);
    },
  };
}

/** The range of a step size and zero point: what gives both back when a scale is chosen for it. */
export function rangeOfStep(scale: number, zeroPoint: number): TrainedActivation {
  return { min: -zeroPoint * scale + 0, max: (255 - zeroPoint) * scale, scale, zeroPoint };
}
