import type { DType } from "@nasty/core";
import { FormatError } from "../format-error.js";
import { TensorProto_DataType as DataType } from "./gen/onnx_pb.js";

/** Our dtypes by the specification's number. */
const dtypes: ReadonlyMap<number, DType> = new Map<number, DType>([
  [DataType.FLOAT, "float32"],
  [DataType.UINT8, "uint8"],
  [DataType.INT8, "int8"],
  [DataType.UINT16, "uint16"],
  [DataType.INT16, "int16"],
  [DataType.INT32, "int32"],
  [DataType.INT64, "int64"],
  [DataType.BOOL, "bool"],
  [DataType.FLOAT16, "float16"],
  [DataType.DOUBLE, "float64"],
  [DataType.UINT32, "uint32"],
  [DataType.UINT64, "uint64"],
  [DataType.BFLOAT16, "bfloat16"],
  [DataType.UINT4, "uint4"],
  [DataType.INT4, "int4"],
]);

const numbers: ReadonlyMap<DType, number> = new Map([...dtypes].map(([number, dtype]) => [dtype, number]));

/** Bits of one element in raw_data; strings have no raw form. */
const bits: ReadonlyMap<number, number> = new Map([
  [DataType.FLOAT, 32],
  [DataType.UINT8, 8],
  [DataType.INT8, 8],
  [DataType.UINT16, 16],
  [DataType.INT16, 16],
  [DataType.INT32, 32],
  [DataType.INT64, 64],
  [DataType.BOOL, 8],
  [DataType.FLOAT16, 16],
  [DataType.DOUBLE, 64],
  [DataType.UINT32, 32],
  [DataType.UINT64, 64],
  [DataType.COMPLEX64, 64],
  [DataType.COMPLEX128, 128],
  [DataType.BFLOAT16, 16],
  [DataType.FLOAT8E4M3FN, 8],
  [DataType.FLOAT8E4M3FNUZ, 8],
  [DataType.FLOAT8E5M2, 8],
  [DataType.FLOAT8E5M2FNUZ, 8],
  [DataType.UINT4, 4],
  [DataType.INT4, 4],
  [DataType.FLOAT4E2M1, 4],
  [DataType.FLOAT8E8M0, 8],
  [DataType.UINT2, 2],
  [DataType.INT2, 2],
]);

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(DataType).map(([name, number]) => [number, name]),
);

/**
 * The specification's name of a data type number, for messages: 1 is "FLOAT".
 *
 * @example
 * ```ts
 * dataTypeName(7); // "INT64"
 * ```
 */
export function dataTypeName(dataType: number): string {
  return names.get(dataType) ?? `data type ${dataType}`;
}

/**
 * Bits of one element of a data type in raw_data, or undefined for strings and unknown numbers.
 *
 * @example
 * ```ts
 * bitsOfDataType(22); // 4, INT4
 * ```
 */
export function bitsOfDataType(dataType: number): number | undefined {
  return bits.get(dataType);
}

/**
 * The dtype that a TensorProto.DataType number stands for.
 *
 * @param dataType number of the ONNX specification, such as 1 for FLOAT
 * @returns the dtype's name in `@nasty/core`
 * @throws FormatError `unknown-dtype` for strings, complex numbers, 2-bit integers, 8- and 4-bit floats and unknown
 *   numbers
 * @see ONNX 1.22, onnx.proto, TensorProto.DataType
 * @example
 * ```ts
 * dtypeOf(1); // "float32"
 * ```
 */
export function dtypeOf(dataType: number): DType {
  const dtype = dtypes.get(dataType);
  if (dtype !== undefined) return dtype;
  throw new FormatError(
    "unknown-dtype",
    `dtypeOf: data type: expected a real number type of up to 64 bits (float, integer or bool), got ${dataTypeName(dataType)}`,
    { got: dataType },
  );
}

/**
 * The TensorProto.DataType number of a dtype; the inverse of {@link dtypeOf}.
 *
 * @param dtype name in `@nasty/core`
 * @throws FormatError `unknown-dtype` for a name that is no dtype
 * @example
 * ```ts
 * dataTypeOf("int8"); // 3
 * ```
 */
export function dataTypeOf(dtype: DType): number {
  const number = numbers.get(dtype);
  if (number !== undefined) return number;
  throw new FormatError(
    "unknown-dtype",
    `dataTypeOf: dtype: expected one of ${[...numbers.keys()].join(", ")}, got ${String(dtype)}`,
    { got: String(dtype) },
  );
}
