import { CoreError } from "./core-error.js";
import { decibels } from "./decibels.js";
import { float16ToFloat32, float32ToFloat16 } from "./float16.js";

/** How blocks of a matrix [channels, length] become integers; blocks run along `length`. */
export interface BlockScheme {
  readonly channels: number;
  readonly length: number;
  readonly blockSize: number;
  readonly bits: 4 | 8;
  readonly symmetric: boolean;
  /** Scales are float16 values, where those can hold them with full precision. Default false. */
  readonly halfScales?: boolean;
  /**
   * Factors of the full range that are tried; the one with the smallest squared error wins. `[1]` is rounding to
   * nearest.
   */
  readonly shrink: readonly number[];
}

/** Full range only: rounding to nearest. */
export const fullRange: readonly number[] = [1];

/** From the full range to about two thirds of it, where clipping the largest weight of a block can pay. */
export const clippedRanges: readonly number[] = Array.from({ length: 18 }, (_, step) => 1 - 0.02 * step);

/** A matrix in blocks along its rows, each integer in a byte of its own; real value = (q − zeroPoint) · scale. */
export interface BlockRows {
  /** [channels, length] */
  readonly data: Uint8Array;
  /** [channels, blocks]; symmetric scales may be negative. */
  readonly scale: Float32Array;
  /** [channels, blocks] */
  readonly zeroPoint: Int32Array;
  /** 10·log10(signal / noise); ∞ without noise. */
  readonly sqnrDb: number;
}

/** Scale and zero point of a block. */
export interface BlockParameters {
  scale: number;
  zeroPoint: number;
}

/**
 * Scales of a weight from which on a file may keep them in 16 bits: fewer would not pay for the node that makes them
 * float32 again.
 */
const fewestHalfScales = 256;

/**
 * Whether the scales of a weight in blocks are rounded to float16: 11 bits of precision are many more than the integers
 * have.
 */
export function hasHalfScales(channels: number, blocks: number): boolean {
  return channels * blocks >= fewestHalfScales;
}

const smallestNormalHalf = 2 ** -14;
const largestHalf = 65504;

/** The nearest float16 value of a scale; itself outside of the range in which that has 11 bits of precision. */
function halfScale(scale: number): number {
  const magnitude = Math.abs(scale);
  return magnitude >= smallestNormalHalf && magnitude <= largestHalf
    ? float16ToFloat32(float32ToFloat16(scale))
    : scale;
}

/**
 * The scale and zero point that MatMulNBits' own quantizer gives a range, all in float32.
 *
 * ```
 * symmetric:  scale = −(signed value of largest magnitude) / 2^(bits−1), zero point 2^(bits−1)
 * asymmetric: scale = (max − min) / (2^bits − 1), zero point = clamp(roundHalfAway(−min / scale))
 * ```
 */
function parametersOfRange(
  low: number,
  high: number,
  { bits, symmetric, halfScales = false }: Pick<BlockScheme, "bits" | "symmetric" | "halfScales">,
  out: BlockParameters,
): void {
  const stored = halfScales ? halfScale : Math.fround;
  const middle = bits === 4 ? 8 : 128;
  const quantMax = bits === 4 ? 15 : 255;
  if (symmetric) {
    const largest = Math.abs(high) > Math.abs(low) ? high : low;
    out.scale = largest === 0 ? 0 : stored(Math.fround(largest / -middle));
    out.zeroPoint = middle;
    return;
  }
  out.scale = stored(Math.fround(Math.fround(high - low) / quantMax));
  out.zeroPoint =
    out.scale === 0 ? 0 : Math.min(quantMax, Math.max(0, Math.floor(Math.fround(-low / out.scale) + 0.5)));
}

/**
 * The integer of a value in a block: `clamp(roundHalfAway(value · (1 / scale) + zero point), 0, 2^bits − 1)` in
 * float32.
 */
export function quantizeInBlock(
  value: number,
  reciprocal: number,
  zeroPoint: number,
  quantMax: number,
): number {
  const real = Math.fround(Math.fround(value * reciprocal) + zeroPoint);
  if (!(real > 0)) {
    return 0;
  }
  return real >= quantMax ? quantMax : (real + 0.5) | 0;
}

/** Float32 reciprocal of a block's scale; of a block of zeros 0. */
export function blockReciprocal(scale: number): number {
  return scale === 0 ? 0 : Math.fround(1 / scale);
}

function squaredError(
  rows: Float32Array | Float64Array,
  from: number,
  to: number,
  { scale, zeroPoint }: BlockParameters,
  quantMax: number,
): number {
  const reciprocal = blockReciprocal(scale);
  let error = 0;
  for (let i = from; i < to; i++) {
    const value = rows[i] as number;
    const difference = value - (quantizeInBlock(value, reciprocal, zeroPoint, quantMax) - zeroPoint) * scale;
    error += difference * difference;
  }
  return error;
}

/**
 * Chooses a block's scale and zero point: of the full range or, if several factors are given, of the part of it that
 * loses least.
 *
 * @param rows values; the block is `rows[from..to)`
 */
export function chooseBlock(
  rows: Float32Array | Float64Array,
  from: number,
  to: number,
  scheme: Pick<BlockScheme, "bits" | "symmetric" | "halfScales" | "shrink">,
  out: BlockParameters,
): void {
  let low = 0;
  let high = 0;
  for (let i = from; i < to; i++) {
    const value = rows[i] as number;
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  const { shrink, bits } = scheme;
  if (shrink.length === 1) {
    parametersOfRange(low, high, scheme, out);
    return;
  }
  const quantMax = bits === 4 ? 15 : 255;
  let best = Number.POSITIVE_INFINITY;
  let scale = 0;
  let zeroPoint = 0;
  for (const factor of shrink) {
    parametersOfRange(low * factor, high * factor, scheme, out);
    const error = squaredError(rows, from, to, out, quantMax);
    if (error < best) {
      best = error;
      ({ scale, zeroPoint } = out);
    }
  }
  out.scale = scale;
  out.zeroPoint = zeroPoint;
}

/** @throws CoreError `length` */
function checkRows(rows: Float32Array, { channels, length }: BlockScheme): void {
  if (rows.length === channels * length) return;
  throw new CoreError(
    "length",
    `quantizeBlockRows: rows: length: expected ${channels * length} (${channels} channels of ${length}), got ${rows.length}`,
    { expected: channels * length, got: rows.length },
  );
}

/**
 * Quantizes a matrix block-wise along its rows, as the operators MatMulNBits and GatherBlockQuantized of ONNX Runtime
 * read it.
 *
 * ```
 * symmetric:  scale = −(signed value of largest magnitude) / 2^(bits−1), zero point 2^(bits−1)
 * asymmetric: scale = (max − min) / (2^bits − 1), zero point = clamp(roundHalfAway(−min / scale)); the range contains 0
 * q = clamp(roundHalfAway(v · (1/scale) + zero point), 0, 2^bits − 1)
 * ```
 * all in float32. A block of zeros gets scale 0; of values that are not finite the result is not specified.
 *
 * @param rows float32 [channels, length]
 * @throws CoreError `length`
 * Source: ONNX Runtime 1.30, com.microsoft.MatMulNBits and its block-wise quantizer.
 * @example
 * const scheme = { channels: 1, length: 32, blockSize: 32, bits: 4, symmetric: true, shrink: fullRange } as const;
 * quantizeBlockRows(new Float32Array(32).fill(1), scheme).scale; // [-0.125], every integer 0
 */
export function quantizeBlockRows(rows: Float32Array, scheme: BlockScheme): BlockRows {
  checkRows(rows, scheme);
  const { channels, length, blockSize, bits } = scheme;
  const blocks = Math.ceil(length / blockSize);
  const quantMax = bits === 4 ? 15 : 255;
  const data = new Uint8Array(channels * length);
  const scale = new Float32Array(channels * blocks);
  const zeroPoint = new Int32Array(channels * blocks);
  const parameters: BlockParameters = { scale: 0, zeroPoint: 0 };
  let signal = 0;
  let noise = 0;
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * length;
    for (let block = 0; block < blocks; block++) {
      const from = start + block * blockSize;
      const to = Math.min(start + length, from + blockSize);
      chooseBlock(rows, from, to, scheme, parameters);
      const { scale: s, zeroPoint: z } = parameters;
      const reciprocal = blockReciprocal(s);
      scale[channel * blocks + block] = s;
      zeroPoint[channel * blocks + block] = z;
      for (let i = from; i < to; i++) {
        const value = rows[i] as number;
        const q = quantizeInBlock(value, reciprocal, z, quantMax);
        data[i] = q;
        const difference = value - (q - z) * s;
        signal += value * value;
        noise += difference * difference;
      }
    }
  }
  return { data, scale, zeroPoint, sqnrDb: decibels(signal, noise) };
}
