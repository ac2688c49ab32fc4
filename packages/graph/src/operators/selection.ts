import { type Dim, multiplyDims } from "../inference/dims.js";
import type { InferRule, SizeRule } from "../inference/rule.js";
import { all, operator, type OperatorSchema } from "./schema.js";
import { axisOf, dtypeOnly, sameAs, withDim } from "./shape-rules.js";

const gather: InferRule = (c) => {
  const data = c.shape(0);
  const indices = c.shape(1);
  const dtype = c.dtype(0);
  if (data === undefined || indices === undefined) return [{ dtype }];
  const axis = axisOf(c.int("axis", 0), data.length);
  return [
    {
      dtype,
      shape: axis === undefined ? undefined : [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)],
    },
  ];
};

const gatherSizes: SizeRule = (c) => {
  const data = c.sizes(0);
  const indices = c.sizes(1);
  if (data === undefined || indices === undefined || data.scalar) return undefined;
  return {
    scalar: indices.scalar,
    elements: indices.elements.map((index) =>
      typeof index === "number" ? data.elements[index < 0 ? index + data.elements.length : index] : undefined,
    ),
  };
};

const gatherNd: InferRule = (c) => {
  const data = c.shape(0);
  const indices = c.shape(1);
  const depth = indices?.at(-1);
  if (data === undefined || indices === undefined || typeof depth !== "number") return dtypeOnly(c);
  const batch = c.int("batch_dims", 0);
  return [{ dtype: c.dtype(0), shape: [...indices.slice(0, -1), ...data.slice(batch + depth)] }];
};

const topK: InferRule = (c) => {
  const shape = c.shape(0);
  const k: Dim = c.int("k") ?? c.sizes(1)?.elements[0];
  const axis = shape === undefined ? undefined : axisOf(c.int("axis", -1), shape.length);
  const result = shape === undefined || axis === undefined ? undefined : withDim(shape, axis, k);
  return [
    { dtype: c.dtype(0), shape: result },
    { dtype: "int64", shape: result },
  ];
};

const oneHot: InferRule = (c) => {
  const indices = c.shape(0);
  const depth = c.sizes(1)?.elements[0] ?? depthOf(c.constant(1)?.data);
  const dtype = c.dtype(2);
  if (indices === undefined) return [{ dtype }];
  const axis = axisOf(c.int("axis", -1), indices.length + 1);
  return [{ dtype, shape: axis === undefined ? undefined : indices.toSpliced(axis, 0, depth) }];
};

/** The depth may be a float, which is no size. */
const depthOf = (data: ArrayLike<number | bigint> | undefined): Dim =>
  data?.length === 1 ? Math.trunc(Number(data[0])) : undefined;

const compress: InferRule = (c) => {
  const shape = c.shape(0);
  const axis = c.int("axis");
  if (axis === undefined) return [{ dtype: c.dtype(0), shape: [undefined] }];
  const position = shape === undefined ? undefined : axisOf(axis, shape.length);
  return [
    {
      dtype: c.dtype(0),
      shape: shape && position !== undefined ? withDim(shape, position, undefined) : undefined,
    },
  ];
};

/** Weights of 4 or 8 bits, `[…]` with blocks of scales; packed two to a byte where the storage type is uint8. */
const gatherBlockQuantized: InferRule = (c) => {
  const data = c.shape(0);
  const indices = c.shape(1);
  const dtype = c.dtype(2);
  if (data === undefined || indices === undefined) return [{ dtype }];
  const axis = axisOf(c.int("gather_axis", 0), data.length);
  if (axis === undefined) return [{ dtype }];
  const last = data.length - 1;
  const packed = c.dtype(0) === "uint8" ? Math.floor(8 / c.int("bits", 4)) : 1;
  const unpacked = packed === 1 ? data : withDim(data, last, multiplyDims(data[last], packed));
  return [{ dtype, shape: [...unpacked.slice(0, axis), ...indices, ...unpacked.slice(axis + 1)] }];
};

/** Operators that select elements by index or value. */
export const selection: Readonly<Record<string, OperatorSchema>> = {
  Gather: operator(2, 1, gather, { sizes: gatherSizes }),
  GatherElements: operator(2, 1, (c) => [{ dtype: c.dtype(0), shape: c.shape(1) }]),
  GatherND: operator(2, 1, gatherNd),
  ...all("Scatter ScatterElements ScatterND", operator(3, 1, sameAs())),
  TensorScatter: operator([2, 3], 1, sameAs()),
  TopK: operator([1, 2], 2, topK),
  OneHot: operator(3, 1, oneHot),
  Compress: operator(2, 1, compress),
  NonZero: operator(1, 1, (c) => [{ dtype: "int64", shape: [c.shape(0)?.length, undefined] }]),
  Unique: operator(1, [1, 4], (c) => [
    {
      dtype: c.dtype(0),
      shape: c.int("axis") === undefined ? [undefined] : c.shape(0)?.map(() => undefined),
    },
    { dtype: "int64", shape: [undefined] },
    { dtype: "int64", shape: [undefined] },
    { dtype: "int64", shape: [undefined] },
  ]),
  NonMaxSuppression: operator([2, 5], 1, () => [{ dtype: "int64", shape: [undefined, 3] }]),
};

export const microsoftSelection: Readonly<Record<string, OperatorSchema>> = {
  GatherBlockQuantized: operator([3, 4], 1, gatherBlockQuantized, { quantization: [2, 3] }),
  GatherND: operator(2, 1, gatherNd),
};
