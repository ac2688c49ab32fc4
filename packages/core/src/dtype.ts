/** Element types of tensors; the names are ours, the meanings are those of ONNX. */
export type DType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "int4"
  | "uint4"
  | "bool";

/** Types that QuantizeLinear can write. */
export type QuantizedDType = "int8" | "uint8" | "int4" | "uint4" | "int16" | "uint16";

/** Types that DequantizeLinear can read: a quantized type or an int32 bias. */
export type DequantizableDType = QuantizedDType | "int32";

/** The typed array that holds each element type. */
export interface DataOfDType {
  float64: Float64Array;
  float32: Float32Array;
  /** IEEE binary16 bits. */
  float16: Uint16Array;
  /** The upper half of a float32, as bits. */
  bfloat16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  /** Two per byte, low nibble first. */
  int4: Uint8Array;
  /** Two per byte, low nibble first. */
  uint4: Uint8Array;
  /** One byte each, 0 or 1. */
  bool: Uint8Array;
}

/** Storage of a tensor of type `D`. */
export type TensorData<D extends DType = DType> = DataOfDType[D];

type DataConstructor<D extends DType> = {
  new (length: number): DataOfDType[D];
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): DataOfDType[D];
};

interface Storage<D extends DType> {
  readonly bits: number;
  readonly construct: DataConstructor<D>;
}

const storage: { readonly [D in DType]: Storage<D> } = {
  float64: { bits: 64, construct: Float64Array },
  float32: { bits: 32, construct: Float32Array },
  float16: { bits: 16, construct: Uint16Array },
  bfloat16: { bits: 16, construct: Uint16Array },
  int8: { bits: 8, construct: Int8Array },
  uint8: { bits: 8, construct: Uint8Array },
  int16: { bits: 16, construct: Int16Array },
  uint16: { bits: 16, construct: Uint16Array },
  int32: { bits: 32, construct: Int32Array },
  uint32: { bits: 32, construct: Uint32Array },
  int64: { bits: 64, construct: BigInt64Array },
  uint64: { bits: 64, construct: BigUint64Array },
  int4: { bits: 4, construct: Uint8Array },
  uint4: { bits: 4, construct: Uint8Array },
  bool: { bits: 8, construct: Uint8Array },
};

/** Every dtype, in the order of the type's declaration. */
export const dtypes: readonly DType[] = Object.keys(storage) as DType[];

/** Integers and truth values whose storage holds one element after the other. */
export const wholeTypes: readonly DType[] = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
];

/** Whether a string names a dtype: `isDType("int4")` is true. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(storage, name);
}

/** Bits that one element takes in storage: 4 for int4 and uint4, 8 for bool. */
export function bitsOf(dtype: DType): number {
  return storage[dtype].bits;
}

/** The typed-array constructor of a dtype's storage (`Uint16Array` for float16, `Uint8Array` for int4). */
export function dataConstructor<D extends DType>(dtype: D): DataConstructor<D> {
  return storage[dtype].construct as unknown as DataConstructor<D>;
}

/** Smallest and largest value of an integer type of at most 32 bits. */
export function integerRange(dtype: DequantizableDType | "uint32"): {
  readonly min: number;
  readonly max: number;
} {
  switch (dtype) {
    case "int4":
      return { min: -8, max: 7 };
    case "uint4":
      return { min: 0, max: 15 };
    case "int8":
      return { min: -128, max: 127 };
    case "uint8":
      return { min: 0, max: 255 };
    case "int16":
      return { min: -32768, max: 32767 };
    case "uint16":
      return { min: 0, max: 65535 };
    case "int32":
      return { min: -2147483648, max: 2147483647 };
    case "uint32":
      return { min: 0, max: 4294967295 };
    default: {
      const unreachable: never = dtype;
      throw new TypeError(`integerRange: ${String(unreachable)}`);
    }
  }
}
