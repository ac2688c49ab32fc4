import { CoreError } from "./core-error.js";
import { bitsOf, dataConstructor, integerRange, type QuantizedDType, type TensorData } from "./dtype.js";
import { visitGroups } from "./granularity.js";
import { packInt4 } from "./int4.js";
import { checkedLayout, type QuantizationParameters } from "./parameters.js";
import { roundingMagic } from "./round.js";
import { elementCount, type Tensor } from "./tensor.js";

// Signed results are written through an unsigned view, whose bits are the same: one kernel then serves both signs and
// stays monomorphic.
type Bits = Uint8Array | Uint16Array;

interface Limits {
  readonly min: number;
  readonly max: number;
}

// fround(x · (1/scale)) with the reciprocal in float64 equals float32(x / scale): a quotient of two 24-bit significands
// keeps a relative distance of at least 2^-49 from every float32 rounding boundary (none is hit), the product errs by
// at most 2^-52. Only subnormal quotients could differ, and they round to 0.
//
// The inner loops hold the usual case only (one comparison, no value to merge); an element that saturates leaves them.
function quantizeRun(
  x: Float32Array,
  out: Bits,
  start: number,
  end: number,
  reciprocal: number,
  zeroPoint: number,
  { min, max }: Limits,
): boolean {
  const offset = zeroPoint - (min + max) / 2;
  const half = (max - min) / 2;
  let sawNaN = false;
  let i = start;
  while (i < end) {
    let rounded = 0;
    for (; i < end; i++) {
      rounded = Math.fround((x[i] as number) * reciprocal) + roundingMagic - roundingMagic;
      if (!(Math.abs(rounded + offset) <= half)) break;
      out[i] = (rounded | 0) + zeroPoint;
    }
    if (i < end) {
      if (rounded !== rounded) sawNaN = true;
      out[i++] = rounded > 0 ? max : min;
    }
  }
  return sawNaN;
}

function quantizeRow(
  x: Float32Array,
  out: Bits,
  start: number,
  end: number,
  reciprocals: Float64Array,
  zeroPoints: Int32Array,
  firstGroup: number,
  { min, max }: Limits,
): boolean {
  const middle = (min + max) / 2;
  const half = (max - min) / 2;
  let sawNaN = false;
  let i = start;
  let g = firstGroup;
  while (i < end) {
    let rounded = 0;
    for (; i < end; i++, g++) {
      const zeroPoint = zeroPoints[g] as number;
      rounded = Math.fround((x[i] as number) * (reciprocals[g] as number)) + roundingMagic - roundingMagic;
      if (!(Math.abs(rounded + zeroPoint - middle) <= half)) break;
      out[i] = (rounded | 0) + zeroPoint;
    }
    if (i < end) {
      if (rounded !== rounded) sawNaN = true;
      out[i++] = rounded > 0 ? max : min;
      g++;
    }
  }
  return sawNaN;
}

/**
 * Quantizes real values: `q = clip(rne(x / scale) + zeroPoint)`, to the full range of the type.
 *
 * The quotient is a float32; halves round to even. ±∞ saturates.
 *
 * @param x float32, any shape.
 * @param p parameters whose groups fit the shape of x.
 * @returns a tensor of p.dtype and x's shape; int4 and uint4 packed.
 * @throws CoreError `not-finite` naming the first NaN, `length` when p has another number of groups, `scale` for a
 *   scale that is 0 or not finite, `zero-point`, `axis`, `block-size`. Source: ONNX 1.22, QuantizeLinear-25.
 * @example
 * quantizeLinear(tensor("float32", [3], new Float32Array([0.5, 1.5, 2.5])),
 *   { dtype: "int8", granularity: perTensor, scale: new Float32Array([1]), zeroPoint: new Int32Array([0]) }); // 0 2 2
 */
export function quantizeLinear<D extends QuantizedDType>(
  x: Tensor<"float32">,
  p: QuantizationParameters<D>,
): Tensor<D> {
  const layout = checkedLayout("quantizeLinear", x.shape, p, { divides: true });
  const limits = integerRange(p.dtype);
  const count = elementCount(x.shape);
  const { data } = x;
  const { zeroPoint } = p;
  const reciprocals = new Float64Array(p.scale.length);
  for (let g = 0; g < reciprocals.length; g++) reciprocals[g] = 1 / (p.scale[g] as number);
  const out: Bits = bitsOf(p.dtype) === 16 ? new Uint16Array(count) : new Uint8Array(count);
  let sawNaN = false;
  visitGroups(p.granularity, layout, {
    run: (start, end, g) => {
      const reciprocal = reciprocals[g] as number;
      if (quantizeRun(data, out, start, end, reciprocal, zeroPoint[g] as number, limits)) sawNaN = true;
    },
    row: (start, end, firstGroup) => {
      if (quantizeRow(data, out, start, end, reciprocals, zeroPoint, firstGroup, limits)) sawNaN = true;
    },
  });
  if (sawNaN) {
    const index = data.findIndex(Number.isNaN);
    throw new CoreError("not-finite", `quantizeLinear: element ${index}: value: expected a number, got NaN`, {
      index,
    });
  }
  return { dtype: p.dtype, shape: x.shape, data: stored(p.dtype, out) };
}

function stored<D extends QuantizedDType>(dtype: D, bits: Bits): TensorData<D> {
  if (bitsOf(dtype) === 4) return packInt4(bits as Uint8Array) as TensorData<D>;
  return new (dataConstructor(dtype))(bits.buffer, 0, bits.length);
}
