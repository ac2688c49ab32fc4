import { cast, dataConstructor, elementCount, reshape, type Tensor } from "@nasty/core";
import { dtypeAttribute } from "../operators/generation.js";
import { axisOf } from "../operators/shape-rules.js";
import type { Evaluator } from "./evaluator.js";
import { stridedCopy, stridesOf, transposeTensor } from "./strided-copy.js";

/** Two elements share a byte there, so they cannot be moved one by one. */
const isPacked = ({ dtype }: Tensor): boolean => dtype === "int4" || dtype === "uint4";

const integers = (tensor: Tensor | undefined): readonly number[] | undefined =>
  tensor === undefined ? undefined : Array.from(tensor.data as ArrayLike<number | bigint>, Number);

const transpose: Evaluator = ([x], c) => {
  if (x === undefined || isPacked(x)) return undefined;
  return transposeTensor(x, c.ints("perm") ?? x.shape.map((_, axis) => x.shape.length - 1 - axis));
};

/** Squeeze, Unsqueeze, Reshape and Flatten leave the data as it is. */
const reshaped: Evaluator = ([x], _, shape) =>
  x === undefined || shape === undefined || elementCount(shape) !== elementCount(x.shape)
    ? undefined
    : reshape(x, shape);

const concat: Evaluator = (inputs, c) => {
  const [first] = inputs;
  if (first === undefined || isPacked(first)) return undefined;
  const axis = axisOf(c.int("axis", 0), first.shape.length);
  if (axis === undefined) return undefined;
  const parts = inputs.filter((part) => part !== undefined);
  if (parts.some((part) => part.dtype !== first.dtype || part.shape.length !== first.shape.length))
    return undefined;
  const size = parts.reduce((sum, part) => sum + (part.shape[axis] as number), 0);
  const shape = first.shape.with(axis, size);
  const data = new (dataConstructor(first.dtype))(elementCount(shape));
  const outer = elementCount(first.shape.slice(0, axis));
  const inner = elementCount(first.shape.slice(axis + 1));
  let start = 0;
  for (const part of parts) {
    const run = (part.shape[axis] as number) * inner;
    for (let block = 0; block < outer; block++) {
      const piece = part.data.subarray(block * run, (block + 1) * run);
      (data as Uint8Array).set(piece as Uint8Array, block * size * inner + start);
    }
    start += run;
  }
  return { dtype: first.dtype, shape, data };
};

const slice: Evaluator = ([x, ...more], c) => {
  if (x === undefined || isPacked(x)) return undefined;
  const starts = c.ints("starts") ?? integers(more[0]);
  const ends = c.ints("ends") ?? integers(more[1]);
  if (starts === undefined || ends === undefined) return undefined;
  const axes = c.ints("axes") ?? integers(more[2]) ?? starts.map((_, axis) => axis);
  const steps = integers(more[3]) ?? starts.map(() => 1);
  const shape = [...x.shape];
  const strides = stridesOf(x.shape);
  let offset = 0;
  for (const [position, given] of axes.entries()) {
    const axis = axisOf(given, x.shape.length);
    const step = steps[position];
    const start = starts[position];
    const end = ends[position];
    if (axis === undefined || step === undefined || step === 0 || start === undefined || end === undefined)
      return undefined;
    const size = x.shape[axis] as number;
    const clamp = (value: number, low: number, high: number): number =>
      Math.min(Math.max(value < 0 ? value + size : value, low), high);
    const from = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
    const to = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
    shape[axis] = Math.max(0, Math.ceil((to - from) / step));
    offset += from * (strides[axis] as number);
    strides[axis] = (strides[axis] as number) * step;
  }
  return stridedCopy(x, { shape, strides, offset });
};

const gather: Evaluator = ([x, indices], c) => {
  const positions = integers(indices);
  if (x === undefined || indices === undefined || positions === undefined || isPacked(x)) return undefined;
  const axis = axisOf(c.int("axis", 0), x.shape.length);
  if (axis === undefined) return undefined;
  const size = x.shape[axis] as number;
  if (positions.some((position) => position < -size || position >= size)) return undefined;
  const outer = elementCount(x.shape.slice(0, axis));
  const inner = elementCount(x.shape.slice(axis + 1));
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const data = new (dataConstructor(x.dtype))(elementCount(shape));
  let to = 0;
  for (let block = 0; block < outer; block++) {
    for (const position of positions) {
      const from = (block * size + (position < 0 ? position + size : position)) * inner;
      (data as Uint8Array).set(x.data.subarray(from, from + inner) as Uint8Array, to);
      to += inner;
    }
  }
  return { dtype: x.dtype, shape, data };
};

/** The elements spread to a larger shape. */
export const spread = (x: Tensor, shape: readonly number[]): Tensor => {
  const lead = shape.length - x.shape.length;
  const strides = stridesOf(x.shape);
  return stridedCopy(x, {
    shape,
    strides: shape.map((_, axis) =>
      axis < lead || x.shape[axis - lead] === 1 ? 0 : (strides[axis - lead] as number),
    ),
    offset: 0,
  });
};

const expand: Evaluator = ([x], _, shape) =>
  x === undefined || shape === undefined || isPacked(x) ? undefined : spread(x, shape);

const castTo: Evaluator = ([x], c) => {
  const dtype = dtypeAttribute(c, "to");
  return x === undefined || dtype === undefined ? undefined : cast(x, dtype);
};

const constantOfShape: Evaluator = ([shape], c) => {
  const dims = integers(shape);
  if (dims === undefined || dims.some((dim) => dim < 0)) return undefined;
  const value = c.tensor("value");
  if (value === undefined && c.node.attribute.length > 0) return undefined;
  const one =
    value === undefined
      ? ({ dtype: "float32", shape: [], data: new Float32Array(1) } as const)
      : reshape(value, []);
  return isPacked(one) ? undefined : spread(one, dims);
};

const range: Evaluator = ([start, limit, delta]) => {
  if (start?.dtype !== "int64" || limit === undefined || delta === undefined) return undefined;
  const [from, to, step] = [start, limit, delta].map((one) => Number(one.data[0])) as [
    number,
    number,
    number,
  ];
  if (step === 0 || ![from, to, step].every(Number.isSafeInteger)) return undefined;
  const length = Math.max(0, Math.ceil((to - from) / step));
  return {
    dtype: "int64",
    shape: [length],
    data: BigInt64Array.from({ length }, (_, i) => BigInt(from + i * step)),
  };
};

/** Operators that move, select or retype elements. */
export const layoutEvaluators: Readonly<Record<string, Evaluator>> = {
  Identity: ([x]) => x,
  Transpose: transpose,
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Concat: concat,
  Slice: slice,
  Gather: gather,
  Expand: expand,
  Cast: castTo,
  ConstantOfShape: constantOfShape,
  Range: range,
};
