import { chooseScale, roundHalfEven, tensor } from "@nasty/core";
import type { Batches } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import { requireBatches, type RunOptions, visitVectors } from "../activations/visit-vectors.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { QuantizationPlan } from "../plan/plan.js";
import { roundToNearest } from "../rewrite/weight-quantizer.js";
import { floatWeight, plannedProducts, type PlannedProduct } from "./planned-products.js";

/** Sums of two products that do not fit 16 bits, of one weight. */
export interface Saturation {
  readonly name: string;
  readonly node: string;
  /** Pairs that were looked at. */
  readonly pairs: number;
  readonly saturated: number;
}

export interface SaturationOptions extends RunOptions {
  readonly calibrationData: Batches;
  /** Activation vectors looked at for each product. Default 32. */
  readonly vectors?: number;
}

interface Integers {
  readonly product: PlannedProduct;
  /** [channels, length] */
  readonly weight: Int8Array;
  readonly channels: number;
  readonly length: number;
  vectors: number;
  pairs: number;
  saturated: number;
}

function integersOf(product: PlannedProduct): Integers {
  const { planned, sumAxis } = product;
  const [rows = 0, columns = 0] = planned.shape;
  const { data } = roundToNearest(planned, () => tensor("float32", planned.shape, floatWeight(product)));
  const [channels, length] = sumAxis === 0 ? [columns, rows] : [rows, columns];
  const weight = new Int8Array(data.length);
  for (let n = 0; n < channels; n++) {
    for (let k = 0; k < length; k++) {
      weight[n * length + k] = data[sumAxis === 0 ? k * columns + n : n * columns + k] as number;
    }
  }
  return { product, weight, channels, length, vectors: 0, pairs: 0, saturated: 0 };
}

/** Activations as the kernel sees them: uint8 over their own range. */
function quantizedRows(rows: Float32Array): Uint8Array {
  let min = 0;
  let max = 0;
  for (const value of rows) {
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  const { scale, zeroPoint } = chooseScale(min, max, { dtype: "uint8", symmetric: false });
  return Uint8Array.from(rows, (value) =>
    Math.min(255, Math.max(0, roundHalfEven(Math.fround(value / scale)) + zeroPoint)),
  );
}

function count(work: Integers, activations: Uint8Array, vectors: number): void {
  const { weight, channels, length } = work;
  for (let row = 0; row < vectors; row++) {
    const x = row * length;
    for (let n = 0; n < channels; n++) {
      const w = n * length;
      for (let k = 0; k + 1 < length; k += 2) {
        const sum =
          (activations[x + k] as number) * (weight[w + k] as number) +
          (activations[x + k + 1] as number) * (weight[w + k + 1] as number);
        if (sum > 32767 || sum < -32768) work.saturated++;
      }
    }
  }
  work.vectors += vectors;
  work.pairs += vectors * channels * (length >> 1);
}

/**
 * Counts, on real activations, the sums of neighbouring uint8 × int8 products that CPUs without VNNI would clip to 16
 * bits.
 *
 * Weights within ±64 (`reduceRange`) cannot saturate: 2·255·64 < 32768.
 *
 * @param plan dynamic or static, of int8 weights
 * @returns one row a product, most saturated first
 * @throws CompressionError `no-calibration-data`
 * @example
 * const advised = (await saturation(model, plan, { calibrationData })).some(({ saturated }) => saturated > 0);
 */
export async function saturation(
  model: ModelProto,
  plan: QuantizationPlan,
  { calibrationData, vectors = 32, ...options }: SaturationOptions,
): Promise<Saturation[]> {
  requireBatches("saturation", calibrationData);
  const int8 = plan.tensors.filter(({ dtype }) => dtype === "int8");
  const works = plannedProducts(openForCompression(model), int8).map(integersOf);
  const byActivation = new Map<string, Integers[]>();
  for (const work of works) {
    const { activation } = work.product;
    byActivation.set(activation, [...(byActivation.get(activation) ?? []), work]);
  }
  await visitVectors(
    model,
    [...byActivation.keys()],
    calibrationData,
    (name, { data: rows, count: found, width }) => {
      const open = (byActivation.get(name) ?? []).filter((work) => work.vectors < vectors);
      if (open.length === 0) return;
      const activations = quantizedRows(rows);
      for (const work of open) {
        if (width === work.length) count(work, activations, Math.min(found, vectors - work.vectors));
      }
    },
    options,
  );
  return works
    .map(({ product, pairs, saturated }) => ({
      name: product.planned.name,
      node: product.node.name || product.output,
      pairs,
      saturated,
    }))
    .sort((a, b) => b.saturated / Math.max(1, b.pairs) - a.saturated / Math.max(1, a.pairs));
}
