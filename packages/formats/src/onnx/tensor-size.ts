import { FormatError } from "../format-error.js";
import { bitsOfDataType, dataTypeName } from "./data-type.js";
import {
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type TensorProto,
} from "./gen/onnx_pb.js";

/**
 * Which list of numbers holds a data type's values when raw_data does not, and how many it takes for `count` elements.
 */
interface TypedField {
  readonly name: "floatData" | "int32Data" | "int64Data" | "doubleData" | "uint64Data" | "stringData";
  readonly wireName: string;
  readonly length: number;
}

/**
 * The shape of a tensor message: its dims as safe numbers.
 *
 * @returns one non-negative integer a dimension; none for a scalar
 * @throws FormatError `shape` for a negative dimension, or a number of elements beyond 2^53
 * @example
 * ```ts
 * shapeOf(tensor, "myTool"); // [16, 64]
 * ```
 */
export function shapeOf(tensor: TensorProto, operation: string, where = labelOf(tensor)): number[] {
  let count = 1n;
  for (const [axis, dim] of tensor.dims.entries()) {
    if (dim < 0n) {
      fail("shape", operation, where, `dims[${axis}]: expected 0 or more, got ${dim}`, tensor.name);
    }
    // A zero does not excuse the others: their product is a stride somewhere.
    if (dim > 0n) count *= dim;
    // Checked at each step, or a long list of dims would make a number of its own length.
    if (count > BigInt(Number.MAX_SAFE_INTEGER)) {
      fail(
        "shape",
        operation,
        where,
        `dims: expected at most 2^53 elements, got [${shown(tensor.dims)}]`,
        tensor.name,
      );
    }
  }
  return tensor.dims.map(Number);
}

/** Number of elements of a shape; 1 for a scalar. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/**
 * Bytes that a tensor of a data type and shape takes in raw_data, or undefined where the type has no raw form.
 *
 * Types of less than a byte are packed over the whole tensor, not row by row.
 *
 * @example
 * ```ts
 * rawBytes(22, [3, 3]); // 5: nine int4 values
 * ```
 */
export function rawBytes(dataType: number, shape: readonly number[]): number | undefined {
  const bits = bitsOfDataType(dataType);
  return bits === undefined ? undefined : Math.ceil((countOf(shape) * bits) / 8);
}

/**
 * Checks that a tensor's dims agree with the bytes or numbers that are present.
 *
 * A tensor of an unknown data type, and one whose values are elsewhere (external data), only has its dims checked.
 *
 * @param tensor the message
 * @param operation name of the caller, which begins the error's message
 * @param where what to call the tensor in messages
 * @throws FormatError `shape` (negative or overflowing dims), `size` (values missing or left over), `duplicate` (values
 *   in two places)
 * @see ONNX 1.22, onnx.proto, TensorProto
 */
export function checkTensor(tensor: TensorProto, operation: string, where = labelOf(tensor)): void {
  const shape = shapeOf(tensor, operation, where);
  if (tensor.dataLocation === DataLocation.EXTERNAL) return;
  const { dataType, name } = tensor;
  const title = `${dataTypeName(dataType)} [${shown(shape)}]`;
  const typed = typedFieldOf(dataType, countOf(shape));
  const typedLength = typed === undefined ? 0 : tensor[typed.name].length;
  if (tensor.rawData.length > 0) {
    if (typedLength > 0) {
      const got = `raw_data and ${typed?.wireName}`;
      fail("duplicate", operation, where, `values: expected one place, got ${got}`, name);
    }
    const expected = dataType === DataType.STRING ? 0 : rawBytes(dataType, shape);
    if (expected !== undefined && expected !== tensor.rawData.length) {
      const what = `raw_data: expected ${expected} bytes for ${title}, got ${tensor.rawData.length}`;
      fail("size", operation, where, what, name);
    }
  } else if (typed !== undefined && typed.length !== typedLength) {
    // raw_data that is present and empty is a way to write no elements.
    const field = typedLength === 0 ? "values" : typed.wireName;
    fail(
      "size",
      operation,
      where,
      `${field}: expected ${typed.length} for ${title}, got ${typedLength}`,
      name,
    );
  }
}

/** The typed field of a data type, by the comments in onnx.proto; undefined for unknown types. */
export function typedFieldOf(dataType: number, count: number): TypedField | undefined {
  switch (dataType) {
    case DataType.FLOAT:
      return { name: "floatData", wireName: "float_data", length: count };
    case DataType.COMPLEX64:
      return { name: "floatData", wireName: "float_data", length: 2 * count };
    case DataType.DOUBLE:
      return { name: "doubleData", wireName: "double_data", length: count };
    case DataType.COMPLEX128:
      return { name: "doubleData", wireName: "double_data", length: 2 * count };
    case DataType.INT64:
      return { name: "int64Data", wireName: "int64_data", length: count };
    case DataType.UINT32:
    case DataType.UINT64:
      return { name: "uint64Data", wireName: "uint64_data", length: count };
    case DataType.STRING:
      return { name: "stringData", wireName: "string_data", length: count };
    default: {
      const bits = bitsOfDataType(dataType);
      if (bits === undefined) return undefined;
      // Types below a byte are packed first: each number holds one byte of raw_data.
      return {
        name: "int32Data",
        wireName: "int32_data",
        length: bits < 8 ? Math.ceil((count * bits) / 8) : count,
      };
    }
  }
}

/** What messages call a tensor. */
export function labelOf(tensor: TensorProto): string {
  return `tensor ${JSON.stringify(tensor.name)}`;
}

function shown(dims: readonly (bigint | number)[]): string {
  return dims.length <= 8 ? dims.join(", ") : `${dims.slice(0, 8).join(", ")}, … (${dims.length} dims)`;
}

function fail(
  code: "shape" | "size" | "duplicate",
  operation: string,
  where: string,
  what: string,
  name: string,
): never {
  throw new FormatError(code, `${operation}: ${where}: ${what}`, { name });
}
