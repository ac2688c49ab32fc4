import { CoreError } from "./core-error.js";
import { integerRange, type QuantizedDType } from "./dtype.js";
import { roundHalfEven } from "./round.js";

/** How real values become integers. */
export interface QuantizationScheme {
  readonly dtype: QuantizedDType;
  /** The real range is made [−a, a]; zero is the middle of the integer range. */
  readonly symmetric: boolean;
  /** 7-bit weights (3-bit for the 4-bit types): pairs of products cannot saturate int16 on CPUs without VNNI. */
  readonly reduceRange?: boolean;
  /** The real range is widened at its top to at least this width. */
  readonly minRealRange?: number;
  /** Symmetric signed types use their lowest value too (int4: −8..7 and not −7..7). */
  readonly fullRange?: boolean;
}

/** The integers that a scheme's scale is computed for. */
export interface QuantRange {
  readonly quantMin: number;
  readonly quantMax: number;
}

/** Scale (a float32 value) and zero point of one group. */
export interface ScaleAndZeroPoint {
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * The integer range that a scheme maps its real range onto.
 *
 * | type | range | symmetric | reduced |
 * |---|---|---|---|
 * | int8 | −128..127 | −127..127 | −64..64 |
 * | uint8 | 0..255 | 0..255 | 0..127 |
 * | int4 | −8..7 | −7..7 | −4..3 |
 * | uint4 | 0..15 | 0..15 | 0..7 |
 * | int16 | −32768..32767 | −32767..32767 | refused |
 * | uint16 | 0..65535 | 0..65535 | refused |
 *
 * `fullRange` gives a symmetric signed type the first column. Source: ONNX Runtime 1.30, quantizer's type ranges.
 *
 * @throws CoreError `scheme` for a reduced 16-bit type.
 * @example quantRange({ dtype: "int8", symmetric: true }); // { quantMin: -127, quantMax: 127 }
 */
export function quantRange(scheme: QuantizationScheme): QuantRange {
  const { dtype, symmetric, reduceRange = false, fullRange = false } = scheme;
  if (reduceRange) {
    switch (dtype) {
      case "int8":
        return { quantMin: -64, quantMax: 64 };
      case "uint8":
        return { quantMin: 0, quantMax: 127 };
      case "int4":
        return { quantMin: -4, quantMax: 3 };
      case "uint4":
        return { quantMin: 0, quantMax: 7 };
      case "int16":
      case "uint16":
        throw new CoreError(
          "scheme",
          `quantRange: ${dtype}: reduced range: expected a type of 4 or 8 bits, got ${dtype}`,
          { dtype },
        );
      default: {
        const unreachable: never = dtype;
        throw new CoreError(
          "dtype",
          `quantRange: dtype: expected a quantized type, got ${String(unreachable)}`,
        );
      }
    }
  }
  const { min, max } = integerRange(dtype);
  return { quantMin: symmetric && !fullRange && min < 0 ? min + 1 : min, quantMax: max };
}

const smallestNormalFloat32 = 2 ** -126;

/** Scale and zero point for a range that is known to be finite, with the scheme's integers looked up once. */
export function scaleForRange(
  min: number,
  max: number,
  scheme: QuantizationScheme,
  { quantMin, quantMax }: QuantRange,
): ScaleAndZeroPoint {
  let realMin = min < 0 ? min : 0;
  let realMax = max > 0 ? max : 0;
  if (scheme.minRealRange !== undefined) realMax = Math.max(realMax, realMin + scheme.minRealRange);
  if (scheme.symmetric) {
    realMax = Math.max(-realMin, realMax);
    realMin = -realMax;
  }
  const scale = (realMax - realMin) / (quantMax - quantMin);
  if (scale < smallestNormalFloat32) return { scale: 1, zeroPoint: 0 };
  // The zero point is taken with the float64 scale, as ONNX Runtime's quantizer does.
  const zeroPoint = scheme.symmetric
    ? roundHalfEven((quantMin + quantMax) / 2)
    : roundHalfEven(quantMin - realMin / scale);
  return { scale: Math.fround(scale), zeroPoint };
}

/**
 * Scale and zero point for the real range [min, max].
 *
 * ```
 * min, max ← min(min, 0), max(max, 0)       the range always contains 0
 * symmetric: min, max ← −a, a with a = max(|min|, |max|)
 * scale = float32((max − min) / (quantMax − quantMin)); zeroPoint = rne(quantMin − min / scale)
 * ```
 * A range so narrow that the scale would not be a normal float32 (also [0, 0]) gives scale 1, zero point 0.
 *
 * @param min,max real values, any order relative to 0.
 * @returns scale as a float32 value, zeroPoint within the scheme's integers.
 * @throws CoreError `not-finite` for NaN or ±∞, `range` when min > max or minRealRange is negative, `scheme` as
 * {@link quantRange} does.
 * @example chooseScale(-0.5, 1, { dtype: "uint8", symmetric: false }); // { scale: 0.0058823530562222, zeroPoint: 85 }
 */
export function chooseScale(min: number, max: number, scheme: QuantizationScheme): ScaleAndZeroPoint {
  if (!Number.isFinite(min) || !Number.isFinite(max)) {
    throw new CoreError(
      "not-finite",
      `chooseScale: range: bounds: expected finite numbers, got [${min}, ${max}]`,
      {
        min,
        max,
      },
    );
  }
  if (min > max) {
    throw new CoreError("range", `chooseScale: range: order: expected min <= max, got [${min}, ${max}]`, {
      min,
      max,
    });
  }
  const { minRealRange } = scheme;
  if (minRealRange !== undefined && !(minRealRange >= 0 && minRealRange < Infinity)) {
    throw new CoreError(
      "range",
      `chooseScale: minRealRange: value: expected a finite number of at least 0, got ${minRealRange}`,
      { minRealRange },
    );
  }
  return scaleForRange(min, max, scheme, quantRange(scheme));
}
