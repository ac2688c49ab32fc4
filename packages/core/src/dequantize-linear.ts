import { CoreError } from "./core-error.js";
import type { DequantizableDType } from "./dtype.js";
import { visitGroups } from "./granularity.js";
import { unpackInt4 } from "./int4.js";
import { checkedLayout, type QuantizationParameters } from "./parameters.js";
import { elementCount, type Tensor } from "./tensor.js";

/** At most three kinds of array, so that V8 keeps the loops below specialised. */
export type IntegerValues = Int8Array | Uint8Array | Int32Array;

/** The integers of a quantized tensor, one an element; the data itself for 8 and 32 bits. */
export function integerValues(t: Tensor<DequantizableDType>): IntegerValues {
  switch (t.dtype) {
    case "int4":
    case "uint4":
      return unpackInt4(t.data as Uint8Array, elementCount(t.shape), t.dtype === "int4");
    case "int16":
    case "uint16":
      return new Int32Array(t.data as Int16Array | Uint16Array);
    default:
      return t.data as IntegerValues;
  }
}

/** Refuses a tensor of another type than its parameters are for. */
export function checkDType(
  operation: string,
  t: Tensor,
  p: QuantizationParameters<DequantizableDType>,
): void {
  if (t.dtype !== p.dtype) {
    throw new CoreError(
      "dtype",
      `${operation}: tensor: dtype: expected ${p.dtype} (the parameters'), got ${t.dtype}`,
    );
  }
}

// The product of two float32 values is exact in float64, so storing it rounds once, as float32 arithmetic would.
function dequantizeRun(
  q: IntegerValues,
  out: Float32Array,
  start: number,
  end: number,
  scale: number,
  zeroPoint: number,
): void {
  for (let i = start; i < end; i++) out[i] = Math.fround((q[i] as number) - zeroPoint) * scale;
}

function dequantizeRow(
  q: IntegerValues,
  out: Float32Array,
  start: number,
  end: number,
  scales: Float32Array,
  zeroPoints: Int32Array,
  firstGroup: number,
): void {
  for (let i = start, g = firstGroup; i < end; i++, g++) {
    out[i] = Math.fround((q[i] as number) - (zeroPoints[g] as number)) * (scales[g] as number);
  }
}

/**
 * The real values of a quantized tensor: `x = (q − zeroPoint) · scale`, in float32.
 *
 * @param q int8, uint8, int4, uint4, int16, uint16 or int32 (a bias), any shape.
 * @param p parameters of the same dtype whose groups fit the shape.
 * @throws CoreError `dtype` when q has another type than p, `length`, `scale` (not finite), `zero-point`, `axis`,
 * `block-size`.
 * Source: ONNX 1.22, DequantizeLinear-25.
 * @example
 * dequantizeLinear(tensor("uint8", [2], new Uint8Array([0, 255])),
 *   { dtype: "uint8", granularity: perTensor, scale: new Float32Array([2]), zeroPoint: new Int32Array([128]) });
 * // Float32Array [-256, 254]
 */
export function dequantizeLinear(
  q: Tensor,
  p: QuantizationParameters<DequantizableDType>,
): Tensor<"float32"> {
  checkDType("dequantizeLinear", q, p);
  const layout = checkedLayout("dequantizeLinear", q.shape, p, { divides: false });
  const values = integerValues(q as Tensor<DequantizableDType>);
  const { scale, zeroPoint } = p;
  const out = new Float32Array(elementCount(q.shape));
  visitGroups(p.granularity, layout, {
    run: (start, end, g) =>
      dequantizeRun(values, out, start, end, scale[g] as number, zeroPoint[g] as number),
    row: (start, end, firstGroup) => dequantizeRow(values, out, start, end, scale, zeroPoint, firstGroup),
  });
  return { dtype: "float32", shape: q.shape, data: out };
}
