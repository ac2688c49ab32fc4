import { CoreError } from "./core-error.js";
import { decibels } from "./decibels.js";
import type { DequantizableDType } from "./dtype.js";
import { checkDType, integerValues, type IntegerValues } from "./dequantize-linear.js";
import { visitGroups } from "./granularity.js";
import { checkedLayout, type QuantizationParameters } from "./parameters.js";
import type { Tensor } from "./tensor.js";

function checkLengths(operation: string, a: Float32Array, b: Float32Array): void {
  if (a.length !== b.length) {
    throw new CoreError(
      "length",
      `${operation}: second array: length: expected ${a.length}, got ${b.length}`,
      {
        expected: a.length,
        got: b.length,
      },
    );
  }
}

/**
 * Signal to quantization-noise ratio in decibels: `10 · log10(Σ x² / Σ (x − y)²)`.
 *
 * Equal arrays (also empty ones) give Infinity, a zero reference with another approximation −Infinity, a NaN NaN.
 *
 * @param reference,approximation float32 of the same length.
 * @throws CoreError `length`.
 * @example sqnrDb(new Float32Array([1, 1]), new Float32Array([1.1, 1])); // about 23
 */
export function sqnrDb(reference: Float32Array, approximation: Float32Array): number {
  checkLengths("sqnrDb", reference, approximation);
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < reference.length; i++) {
    const x = reference[i] as number;
    const difference = x - (approximation[i] as number);
    signal += x * x;
    noise += difference * difference;
  }
  return decibels(signal, noise);
}

interface Sums {
  signal: number;
  noise: number;
}

function addRun(
  x: Float32Array,
  q: IntegerValues,
  start: number,
  end: number,
  scale: number,
  zeroPoint: number,
  sums: Sums,
): void {
  let { signal, noise } = sums;
  for (let i = start; i < end; i++) {
    const value = x[i] as number;
    const difference = value - Math.fround(Math.fround((q[i] as number) - zeroPoint) * scale);
    signal += value * value;
    noise += difference * difference;
  }
  sums.signal = signal;
  sums.noise = noise;
}

function addRow(
  x: Float32Array,
  q: IntegerValues,
  start: number,
  end: number,
  p: QuantizationParameters<DequantizableDType>,
  firstGroup: number,
  sums: Sums,
): void {
  const { scale, zeroPoint } = p;
  let { signal, noise } = sums;
  for (let i = start, g = firstGroup; i < end; i++, g++) {
    const value = x[i] as number;
    const difference =
      value - Math.fround(Math.fround((q[i] as number) - (zeroPoint[g] as number)) * (scale[g] as number));
    signal += value * value;
    noise += difference * difference;
  }
  sums.signal = signal;
  sums.noise = noise;
}

/**
 * {@link sqnrDb} of a tensor against its quantized form, without making the dequantized tensor.
 *
 * Equals `sqnrDb(x.data, dequantizeLinear(q, p).data)`.
 *
 * @throws CoreError `length` when x and q differ in shape, and as dequantizeLinear does.
 * @example quantizationSqnrDb(weight, quantizeLinear(weight, p), p); // e.g. 42.3
 */
export function quantizationSqnrDb(
  x: Tensor<"float32">,
  q: Tensor,
  p: QuantizationParameters<DequantizableDType>,
): number {
  checkDType("quantizationSqnrDb", q, p);
  if (x.shape.join() !== q.shape.join()) {
    throw new CoreError(
      "length",
      `quantizationSqnrDb: quantized tensor: shape: expected [${x.shape.join(", ")}], got [${q.shape.join(", ")}]`,
    );
  }
  const layout = checkedLayout("quantizationSqnrDb", q.shape, p, { divides: false });
  const values = integerValues(q as Tensor<DequantizableDType>);
  const sums: Sums = { signal: 0, noise: 0 };
  visitGroups(p.granularity, layout, {
    run: (start, end, g) =>
      addRun(x.data, values, start, end, p.scale[g] as number, p.zeroPoint[g] as number, sums),
    row: (start, end, firstGroup) => addRow(x.data, values, start, end, p, firstGroup, sums),
  });
  return decibels(sums.signal, sums.noise);
}

/**
 * Cosine of the angle between two arrays: `Σ ab / √(Σ a² · Σ b²)`.
 *
 * Two zero (or empty) arrays give 1, one zero array 0.
 *
 * @throws CoreError `length`.
 * @example cosineSimilarity(new Float32Array([1, 0]), new Float32Array([1, 1])); // 0.7071…
 */
export function cosineSimilarity(a: Float32Array, b: Float32Array): number {
  checkLengths("cosineSimilarity", a, b);
  let dot = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    dot += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  if (squaresA === 0 || squaresB === 0) return squaresA === squaresB ? 1 : 0;
  return dot / (Math.sqrt(squaresA) * Math.sqrt(squaresB));
}

/**
 * Largest absolute difference of two arrays; 0 for empty ones, NaN when a difference is NaN.
 *
 * @throws CoreError `length`.
 * @example maxAbsoluteError(new Float32Array([1, 2]), new Float32Array([1, 4])); // 2
 */
export function maxAbsoluteError(a: Float32Array, b: Float32Array): number {
  checkLengths("maxAbsoluteError", a, b);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    // The difference of equal infinities would be NaN.
    const difference = a[i] === b[i] ? 0 : Math.abs((a[i] as number) - (b[i] as number));
    if (!(difference <= largest)) {
      if (difference !== difference) return NaN;
      largest = difference;
    }
  }
  return largest;
}
