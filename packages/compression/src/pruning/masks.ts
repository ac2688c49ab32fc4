import type { ModelProto } from "@nasty/formats/onnx";
import { parameterTensors } from "@nasty/graph";
import { CompressionError } from "../compression-error.js";
import { openForCompression } from "../files/open-for-compression.js";
import { countBelow, cutAt, keptAfter } from "./smallest-magnitudes.js";
import type { PruningScope } from "./plan.js";
import { prunableWeights } from "./prunable-weights.js";

/**
 * Which elements of which weight stay: a byte an element in the weight's own layout, 1 stays, 0 is zero and is to
 * remain so.
 */
export type PruningMasks = ReadonlyMap<string, Uint8Array>;

/**
 * The masks of a pruned model: where its weights (of matrix products, convolutions, recurrences and embeddings) are
 * exactly zero.
 *
 * @returns by name of the weight; weights without a zero are left out
 * @example const masks = masksOf(pruned); // then, after each step: applyMasks(masks, trainer.state().weights)
 */
export function masksOf(model: ModelProto): PruningMasks {
  const masks = new Map<string, Uint8Array>();
  for (const weight of prunableWeights(openForCompression(model)).weights) {
    const mask = Uint8Array.from(weight.values(), (value) => (value === 0 ? 0 : 1));
    if (mask.includes(0)) {
      masks.set(weight.name, mask);
    }
  }
  return masks;
}

/**
 * How many zeros each weight gets so that `sparsity` of all elements are zero: round(sparsity·elements) of the smallest
 * magnitudes, of all weights together (global) or of each (layer).
 */
export function zerosByWeight(
  weights: readonly { readonly elements: number; values(): Float32Array }[],
  sparsity: number,
  scope: PruningScope,
): number[] {
  if (scope === "layer") {
    return weights.map(({ elements }) => Math.round(sparsity * elements));
  }
  const total = weights.reduce((sum, { elements }) => sum + elements, 0);
  const count = Math.round(sparsity * total);
  if (count === 0) {
    return weights.map(() => 0);
  }
  const cut = cutAt(function* () {
    for (const weight of weights) {
      yield weight.values();
    }
  }, count);
  let ties = cut.equal;
  return weights.map((weight) => {
    const { below, equal } = countBelow(weight.values(), cut);
    const taken = Math.min(equal, ties);
    ties -= taken;
    return below + taken;
  });
}

/**
 * Masks that zero the smallest magnitudes of weights in training.
 *
 * With the sparsity of {@link sparsityAt}, called at each raise on the weights of now: what was zeroed before is
 * smallest and stays zero.
 *
 * @param weights float32 values by name; not changed
 * @param sparsity share of all elements that is to be zero, in [0, 1)
 * @param scope one ranking for all weights (default), or each weight on its own
 * @throws CompressionError `invalid-option`, `not-finite` naming the weight
 * @example
 * const masks = magnitudeMasks(trainer.readWeights(), sparsityAt(step, schedule));
 * applyMasks(masks, trainer.state().weights);
 */
export function magnitudeMasks(
  weights: ReadonlyMap<string, Float32Array>,
  sparsity: number,
  scope: PruningScope = "global",
): PruningMasks {
  checkShare("magnitudeMasks", "sparsity", sparsity);
  const list = [...weights].map(([name, values]) => {
    checkFinite("magnitudeMasks", name, values);
    return { name, elements: values.length, values: () => values };
  });
  const zeros = zerosByWeight(list, sparsity, scope);
  return new Map(
    list.map(({ name, values }, index) => [name, keptAfter(values(), zeros[index] as number)] as const),
  );
}

/**
 * Zeros the masked elements of weights, in place.
 *
 * @param masks of `masksOf` or `magnitudeMasks`
 * @param out weights by name, such as `trainer.state().weights`; ones without a mask stay as they are
 * @throws CompressionError `plan-mismatch` for a mask without its weight or of another length
 */
export function applyMasks(masks: PruningMasks, out: Readonly<Record<string, Float32Array>>): void {
  for (const [name, mask] of masks) {
    const values = out[name];
    if (values?.length !== mask.length) {
      throw new CompressionError(
        "plan-mismatch",
        `applyMasks: weight ${JSON.stringify(name)}: elements: expected ${mask.length}, got ${values?.length ?? "no such weight"}`,
        { tensor: name },
      );
    }
    for (let i = 0; i < mask.length; i++) {
      if (mask[i] === 0) {
        values[i] = 0;
      }
    }
  }
}

/** @throws CompressionError `invalid-option` unless the share is in [0, 1) */
export function checkShare(operation: string, name: string, share: number): void {
  if (!(typeof share === "number" && share >= 0 && share < 1)) {
    throw new CompressionError(
      "invalid-option",
      `${operation}: ${name}: expected a share from 0 to below 1, got ${String(share)}`,
    );
  }
}

/** @throws CompressionError `not-finite` naming the tensor and the element */
export function checkFinite(operation: string, name: string, values: Float32Array): void {
  for (let index = 0; index < values.length; index++) {
    if (Number.isFinite(values[index])) {
      continue;
    }
    throw new CompressionError(
      "not-finite",
      `${operation}: tensor ${JSON.stringify(name)}: element ${index}: expected a finite number, got ${values[index]}`,
      { tensor: name },
    );
  }
}

/** How many parameters a model has, and how many of them are not zero. */
export function countParameters(model: ModelProto): { elements: number; nonZero: number } {
  let elements = 0;
  let nonZero = 0;
  for (const graph of openForCompression(model).allGraphs()) {
    for (const { name, elements: count } of parameterTensors(graph)) {
      const value = graph.constant(name);
      elements += count;
      nonZero += value?.dtype === "float32" ? countNonZero(value.data as Float32Array) : count;
    }
  }
  return { elements, nonZero };
}

export function countNonZero(values: Float32Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== 0) {
      count++;
    }
  }
  return count;
}
