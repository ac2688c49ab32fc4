import { type Dim, productOfDims } from "../inference/dims.js";
import type { InferRule, ListArgument, RuleContext } from "../inference/rule.js";
import { all, operator, type OperatorSchema } from "./schema.js";
import { axesOf, axisOf, unknownDims } from "./shape-rules.js";

const reducedShape = (
  shape: readonly Dim[] | undefined,
  list: ListArgument,
  keep: boolean,
  empty: boolean,
): readonly Dim[] | undefined => {
  if (list === "unknown") return keep && shape !== undefined ? unknownDims(shape.length) : undefined;
  const every = list === "absent" || list.length === 0;
  if (every && empty) return shape;
  if (every && !keep) return [];
  if (shape === undefined) return undefined;
  const axes = every ? shape.map((_, axis) => axis) : axesOf(list, shape.length);
  if (axes === undefined) return undefined;
  return keep
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
};

const keeps = (c: RuleContext): boolean => c.int("keepdims", 1) !== 0;

const reduce: InferRule = (c) => [
  {
    dtype: c.dtype(0),
    shape: reducedShape(c.shape(0), c.list("axes", 1), keeps(c), c.int("noop_with_empty_axes", 0) !== 0),
  },
];

const indexOfExtreme: InferRule = (c) => {
  const shape = c.shape(0);
  const axis = c.int("axis", 0);
  const valid = shape === undefined || axisOf(axis, shape.length) !== undefined;
  return [{ dtype: "int64", shape: valid ? reducedShape(shape, [axis], keeps(c), false) : undefined }];
};

/** Operators that take axes away. */
export const reduction: Readonly<Record<string, OperatorSchema>> = {
  ...all(
    "ReduceSum ReduceMean ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare",
    operator([1, 2], 1, reduce),
  ),
  ReduceProd: operator([1, 2], 1, reduce, {
    sizes: (c) => {
      const value = c.sizes(0);
      return value === undefined
        ? undefined
        : { scalar: !keeps(c), elements: [productOfDims(value.elements)] };
    },
  }),
  ...all("ArgMax ArgMin", operator(1, 1, indexOfExtreme)),
};
