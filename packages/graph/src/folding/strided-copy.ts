import { dataConstructor, type DType, elementCount, type Tensor, type TensorData } from "@nasty/core";

/** Number of elements to step over for each axis of a row-major array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}

/** Where the elements of a result lie in its source. */
export interface StridedView {
  readonly shape: readonly number[];
  /** Step in the source for one step along each axis; 0 repeats, negative goes backwards. */
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A dense tensor of the elements that a strided view selects; not for 4-bit types, whose elements share bytes. */
export function stridedCopy<D extends DType>(
  source: Tensor<D>,
  { shape, strides, offset }: StridedView,
): Tensor<D> {
  const out = new (dataConstructor<D>(source.dtype))(elementCount(shape));
  if (out.length > 0) copyInto(out, source.data, { shape, strides, offset });
  return { dtype: source.dtype, shape, data: out };
}

/** Edge of the square that is moved at once, so that both sides of a transposition stay in the cache. */
const tile = 32;

const copyInto = (out: TensorData, data: TensorData, { shape, strides, offset }: StridedView): void => {
  const rank = shape.length;
  const columns = shape[rank - 1] ?? 1;
  const rows = shape[rank - 2] ?? 1;
  const columnStride = strides[rank - 1] ?? 0;
  const rowStride = strides[rank - 2] ?? 0;
  const outer = Math.max(0, rank - 2);
  const index = Array.from({ length: outer }, () => 0);
  let base = offset;
  for (let start = 0; start < out.length; start += rows * columns) {
    for (let top = 0; top < rows; top += tile) {
      const bottom = Math.min(rows, top + tile);
      for (let left = 0; left < columns; left += tile) {
        const right = Math.min(columns, left + tile);
        for (let row = top; row < bottom; row++) {
          let from = base + row * rowStride + left * columnStride;
          let to = start + row * columns + left;
          for (let column = left; column < right; column++) {
            out[to++] = data[from] as never;
            from += columnStride;
          }
        }
      }
    }
    for (let axis = outer - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      base += strides[axis] as number;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        break;
      }
      base -= next * (strides[axis] as number);
      index[axis] = 0;
    }
  }
};

/** The tensor with its axes in another order: axis `i` of the result is axis `perm[i]` of the source. */
export function transposeTensor<D extends DType>(source: Tensor<D>, perm: readonly number[]): Tensor<D> {
  const strides = stridesOf(source.shape);
  return stridedCopy(source, {
    shape: perm.map((axis) => source.shape[axis] as number),
    strides: perm.map((axis) => strides[axis] as number),
    offset: 0,
  });
}
