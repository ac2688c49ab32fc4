import { CoreError } from "./core-error.js";
import { bitsOf, dataConstructor, isDType, type DType, type TensorData } from "./dtype.js";

/** A dense row-major array; a scalar has shape `[]` and one element. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TensorData<D>;
}

/**
 * Number of elements of a shape: the product of its dimensions, 1 for a scalar.
 *
 * @throws CoreError `shape` when a dimension is negative or no safe integer, or the product is too large.
 * @example elementCount([2, 3]); // 6
 */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new CoreError(
        "shape",
        `elementCount: [${shape.join(", ")}]: dimension: expected an integer of at least 0, got ${size}`,
        { shape },
      );
    }
    count *= size;
  }
  if (!Number.isSafeInteger(count)) {
    throw new CoreError(
      "shape",
      `elementCount: [${shape.join(", ")}]: product: expected at most 2^53 - 1, got ${count}`,
      { shape },
    );
  }
  return count;
}

/** Length that the storage of `count` elements has: bytes for int4 and uint4 (two to a byte), elements for the rest. */
export function storageLength(dtype: DType, count: number): number {
  return bitsOf(dtype) === 4 ? Math.ceil(count / 2) : count;
}

/**
 * Bytes that a tensor of this dtype and shape takes.
 *
 * @throws CoreError `shape` as {@link elementCount} does.
 * @example byteLength("int4", [3]); // 2
 */
export function byteLength(dtype: DType, shape: readonly number[]): number {
  return Math.ceil((elementCount(shape) * bitsOf(dtype)) / 8);
}

/**
 * A tensor over existing data, which is not copied.
 *
 * @param dtype element type.
 * @param shape dimensions, `[]` for a scalar.
 * @param data storage as {@link TensorData} names it: float16 and bfloat16 as bits, int4 and uint4 packed.
 * @throws CoreError `dtype` for an unknown dtype or the wrong typed array, `shape` for a bad dimension, `data-length`
 * when the storage does not fit the shape.
 * @example tensor("float32", [2, 2], new Float32Array([1, 2, 3, 4]));
 */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: TensorData<D>): Tensor<D> {
  if (!isDType(dtype)) {
    throw new CoreError("dtype", `tensor: dtype: expected a known element type, got ${String(dtype)}`);
  }
  const expected = dataConstructor(dtype).name;
  if (data[Symbol.toStringTag] !== expected) {
    throw new CoreError(
      "dtype",
      `tensor: ${dtype}: storage: expected ${expected}, got ${data[Symbol.toStringTag]}`,
    );
  }
  const length = storageLength(dtype, elementCount(shape));
  if (data.length !== length) {
    throw new CoreError(
      "data-length",
      `tensor: ${dtype} [${shape.join(", ")}]: data length: expected ${length}, got ${data.length}`,
      { shape, expected: length, got: data.length },
    );
  }
  return { dtype, shape, data };
}

/** A tensor of zeros. */
export function zeros<D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> {
  const length = storageLength(dtype, elementCount(shape));
  return { dtype, shape, data: new (dataConstructor(dtype))(length) };
}

/**
 * The same data under another shape.
 *
 * @throws CoreError `shape` when the number of elements differs.
 */
export function reshape<D extends DType>(t: Tensor<D>, shape: readonly number[]): Tensor<D> {
  const expected = elementCount(t.shape);
  const got = elementCount(shape);
  if (got !== expected) {
    throw new CoreError(
      "shape",
      `reshape: [${t.shape.join(", ")}] to [${shape.join(", ")}]: elements: expected ${expected}, got ${got}`,
      { expected, got },
    );
  }
  return { dtype: t.dtype, shape, data: t.data };
}
