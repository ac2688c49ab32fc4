import { CoreError } from "./core-error.js";
import { decibels } from "./decibels.js";
import { bitsOf, dataConstructor, integerRange, type QuantizedDType } from "./dtype.js";
import { quantizationSqnrDb } from "./error-metrics.js";
import { visitGroups } from "./granularity.js";
import { checkedLayout, type QuantizationParameters } from "./parameters.js";
import { quantizeLinear } from "./quantize-linear.js";
import { roundingMagic } from "./round.js";
import { elementCount, type Tensor } from "./tensor.js";
import { type SquareSums, vectorLoops } from "./vector-loops.js";

/** A quantized tensor and what was lost. */
export interface MeasuredQuantization<D extends QuantizedDType> {
  readonly quantized: Tensor<D>;
  /** 10·log10(Σx² / Σ(x − x̂)²); Infinity when nothing was lost. */
  readonly sqnrDb: number;
}

/** Where results go. */
export interface QuantizeMeasuredOptions {
  /**
   * Room for signed 8-bit integers, at least as many as elements: results of that type are made in it, from its
   * beginning, unless values saturate. A caller who quantizes many tensors and copies each result needs no memory for
   * all of them.
   */
  readonly out?: Int8Array | undefined;
}

/** Returns how many elements it did: fewer than asked for if the next one saturates or is no number. */
function measureRun(
  x: Float32Array,
  out: Int8Array,
  start: number,
  end: number,
  scale: number,
  sums: SquareSums,
): number {
  const reciprocal = 1 / scale;
  let { signal, noise } = sums;
  let i = start;
  for (; i < end; i++) {
    const value = x[i] as number;
    const rounded = Math.fround(value * reciprocal) + roundingMagic - roundingMagic;
    if (!(Math.abs(rounded) <= 127)) break;
    out[i] = rounded | 0;
    const difference = value - Math.fround(rounded * scale);
    signal += value * value;
    noise += difference * difference;
  }
  sums.signal = signal;
  sums.noise = noise;
  return i - start;
}

function measureRow(
  x: Float32Array,
  out: Int8Array,
  start: number,
  end: number,
  reciprocals: Float64Array,
  scales: Float64Array,
  firstGroup: number,
  sums: SquareSums,
): number {
  let { signal, noise } = sums;
  let i = start;
  for (let g = firstGroup; i < end; i++, g++) {
    const value = x[i] as number;
    const rounded = Math.fround(value * (reciprocals[g] as number)) + roundingMagic - roundingMagic;
    if (!(Math.abs(rounded) <= 127)) break;
    out[i] = rounded | 0;
    const difference = value - Math.fround(rounded * (scales[g] as number));
    signal += value * value;
    noise += difference * difference;
  }
  sums.signal = signal;
  sums.noise = noise;
  return i - start;
}

/**
 * Quantizes and measures the loss: `quantizeLinear` and `quantizationSqnrDb` with the same results.
 *
 * Symmetric int8 without saturation, the usual form of weights, takes one pass; anything else takes the two functions.
 *
 * @param x float32, any shape.
 * @param p parameters whose groups fit the shape of x.
 * @throws CoreError as quantizeLinear; `length` for too little room.
 * @example
 * const p = parametersOf(weight, { dtype: "int8", symmetric: true }, perChannel(1));
 * const { quantized, sqnrDb } = quantizeMeasured(weight, p);
 */
export function quantizeMeasured<D extends QuantizedDType>(
  x: Tensor<"float32">,
  p: QuantizationParameters<D>,
  { out }: QuantizeMeasuredOptions = {},
): MeasuredQuantization<D> {
  if (out !== undefined && out.length < x.data.length) {
    throw new CoreError(
      "length",
      `quantizeMeasured: out: length: expected at least ${x.data.length}, got ${out.length}`,
    );
  }
  return onePass(x, p, out) ?? twoPasses(x, p);
}

function twoPasses<D extends QuantizedDType>(
  x: Tensor<"float32">,
  p: QuantizationParameters<D>,
): MeasuredQuantization<D> {
  const quantized = quantizeLinear(x, p);
  return { quantized, sqnrDb: quantizationSqnrDb(x, quantized, p) };
}

function onePass<D extends QuantizedDType>(
  x: Tensor<"float32">,
  p: QuantizationParameters<D>,
  room: Int8Array | undefined,
): MeasuredQuantization<D> | undefined {
  const signed8 = bitsOf(p.dtype) === 8 && integerRange(p.dtype).min < 0;
  if (!signed8 || p.granularity.kind === "per-block" || p.zeroPoint.some((zeroPoint) => zeroPoint !== 0)) {
    return undefined;
  }
  const layout = checkedLayout("quantizeLinear", x.shape, p, { divides: true });
  const count = elementCount(x.shape);
  const out = room === undefined ? new Int8Array(count) : room.subarray(0, count);
  const scales = Float64Array.from(p.scale);
  const reciprocals = scales.map((scale) => 1 / scale);
  const sums: SquareSums = { signal: 0, noise: 0 };
  const hasRows = p.granularity.kind === "per-channel" && layout.inner === 1;
  const quantizer = vectorLoops(x.data.length, hasRows ? layout.groups : 0)?.quantizer(p.scale, out, sums);
  let whole = true;
  visitGroups(p.granularity, layout, {
    run: (start, end, g) => {
      if (quantizer !== undefined) {
        whole &&= quantizer.run(x.data.subarray(start, end), start, g);
        return;
      }
      whole &&= measureRun(x.data, out, start, end, scales[g] as number, sums) === end - start;
    },
    row: (start, end, firstGroup) => {
      if (quantizer !== undefined) {
        whole &&= quantizer.row(x.data.subarray(start, end), start);
        return;
      }
      whole &&= measureRow(x.data, out, start, end, reciprocals, scales, firstGroup, sums) === end - start;
    },
  });
  if (!whole) return undefined;
  const data = new (dataConstructor(p.dtype))(out.buffer, out.byteOffset, out.length);
  return {
    quantized: { dtype: p.dtype, shape: x.shape, data } as Tensor<D>,
    sqnrDb: decibels(sums.signal, sums.noise),
  };
}
