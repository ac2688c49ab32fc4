import { CoreError } from "./core-error.js";
import { dataConstructor, integerRange, type DType, type TensorData } from "./dtype.js";
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "./float16.js";
import { packInt4, unpackInt4 } from "./int4.js";
import { elementCount, type Tensor } from "./tensor.js";

type NumberArray =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

// Loops: the static method `from` walks an iterator, which costs some ten times as much on a weight.
function widen(bits: Uint16Array, convert: (bits: number) => number): Float32Array {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = convert(bits[i] as number);
  return out;
}

function narrow(values: NumberArray, convert: (x: number) => number): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = convert(values[i] as number);
  return out;
}

/** The elements of a tensor as plain numbers, except the 64-bit integers; no copy where storage is numeric already. */
function numbersOf(t: Tensor): NumberArray | BigInt64Array | BigUint64Array {
  switch (t.dtype) {
    case "float16":
      return widen(t.data as Uint16Array, float16ToFloat32);
    case "bfloat16":
      return widen(t.data as Uint16Array, bfloat16ToFloat32);
    case "int4":
    case "uint4":
      return unpackInt4(t.data as Uint8Array, elementCount(t.shape), t.dtype === "int4");
    default:
      return t.data as NumberArray | BigInt64Array | BigUint64Array;
  }
}

/**
 * The elements of a tensor of any dtype as float32.
 *
 * float16, bfloat16 and integers up to 24 bits are exact; wider numbers round to nearest. A float32 tensor's own data
 * is returned, not a copy.
 *
 * @example toFloat32(tensor("float16", [1], new Uint16Array([0x3c00]))); // Float32Array [1]
 */
export function toFloat32(t: Tensor): Float32Array {
  switch (t.dtype) {
    case "float32":
      return t.data as Float32Array;
    case "float16":
      return widen(t.data as Uint16Array, float16ToFloat32);
    case "bfloat16":
      return widen(t.data as Uint16Array, bfloat16ToFloat32);
    default: {
      const values = numbersOf(t);
      return isBig(values) ? Float32Array.from(values, Number) : new Float32Array(values);
    }
  }
}

function isBig(
  values: NumberArray | BigInt64Array | BigUint64Array,
): values is BigInt64Array | BigUint64Array {
  return values instanceof BigInt64Array || values instanceof BigUint64Array;
}

const isFloat = (dtype: DType): boolean => /^b?float/.test(dtype);

function saturated(x: number, min: number, max: number): number {
  if (x !== x) return 0;
  return Math.min(max, Math.max(min, Math.trunc(x)));
}

function toIntegers(
  values: NumberArray,
  dtype: "int8" | "uint8" | "int16" | "uint16" | "int32" | "uint32" | "int4" | "uint4",
  fromFloat: boolean,
): TensorData {
  if (dtype === "int4" || dtype === "uint4") {
    const { min, max } = integerRange(dtype);
    return packInt4(Uint8Array.from(values, fromFloat ? (x) => saturated(x, min, max) : (x) => x & 15));
  }
  const construct = dataConstructor(dtype);
  const out = new construct(values.length) as NumberArray;
  if (!fromFloat) {
    // Storing an integer in a narrower typed array keeps its low bits.
    out.set(values);
    return out as TensorData;
  }
  const { min, max } = integerRange(dtype);
  for (let i = 0; i < values.length; i++) out[i] = saturated(values[i] as number, min, max);
  return out as TensorData;
}

function toBig(values: NumberArray, dtype: "int64" | "uint64"): TensorData {
  const min = dtype === "int64" ? -(2n ** 63n) : 0n;
  const max = dtype === "int64" ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  const convert = (x: number): bigint => {
    if (x !== x) return 0n;
    if (x >= 2 ** 64) return max;
    if (x <= -(2 ** 63)) return min;
    const integer = BigInt(Math.trunc(x));
    return integer < min ? min : integer > max ? max : integer;
  };
  return dtype === "int64"
    ? BigInt64Array.from({ length: values.length }, (_, i) => convert(values[i] as number))
    : BigUint64Array.from({ length: values.length }, (_, i) => convert(values[i] as number));
}

function fromBig(values: BigInt64Array | BigUint64Array, dtype: DType): TensorData {
  switch (dtype) {
    case "int64":
    case "uint64":
      return (dtype === "int64" ? BigInt64Array : BigUint64Array).from(values);
    case "bool":
      return Uint8Array.from(values, (x) => (x === 0n ? 0 : 1));
    case "float64":
    case "float32":
    case "float16":
    case "bfloat16":
      return fromNumbers(Float64Array.from(values, Number), dtype, true);
    default:
      return toIntegers(
        Int32Array.from(values, (x) => Number(BigInt.asIntN(32, x))),
        dtype,
        false,
      );
  }
}

function fromNumbers(values: NumberArray, dtype: DType, fromFloat: boolean): TensorData {
  switch (dtype) {
    case "float64":
      return new Float64Array(values);
    case "float32":
      return new Float32Array(values);
    case "float16":
      return narrow(values, float32ToFloat16);
    case "bfloat16":
      return narrow(values, float32ToBfloat16);
    case "bool":
      return Uint8Array.from(values, (x) => (x === 0 ? 0 : 1));
    case "int64":
    case "uint64":
      if (!fromFloat && dtype === "uint64")
        return BigUint64Array.from(values, (x) => BigInt.asUintN(64, BigInt(x)));
      return toBig(values, dtype);
    case "int8":
    case "uint8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
    case "int4":
    case "uint4":
      return toIntegers(values, dtype, fromFloat);
    default: {
      const unreachable: never = dtype;
      throw new CoreError(
        "dtype",
        `cast: target: dtype: expected a known element type, got ${String(unreachable)}`,
      );
    }
  }
}

/**
 * A tensor converted to another dtype.
 *
 * Floats round to nearest even; a float becomes an integer by truncation and saturates (NaN gives 0); an integer
 * becomes a narrower integer by its low bits; anything but 0 becomes true. Source: ONNX 1.22, Cast-25, which leaves
 * out-of-range floats undefined.
 *
 * @returns the tensor itself when the dtype is the same.
 * @throws CoreError `dtype` for an unknown target.
 * @example cast(tensor("float32", [2], new Float32Array([1.9, -300])), "int8"); // 1, -128
 */
export function cast<D extends DType>(t: Tensor, dtype: D): Tensor<D> {
  if (t.dtype === (dtype as DType)) return t as Tensor<D>;
  const values = numbersOf(t);
  const data = isBig(values) ? fromBig(values, dtype) : fromNumbers(values, dtype, isFloat(t.dtype));
  return { dtype, shape: t.shape, data: data as TensorData<D> };
}
