import { intAttribute, intsAttribute, stringAttribute } from "@nasty/formats/onnx";
import type { TfTensor } from "../tensorflow.js";
import {
  integers,
  normalAxis,
  type Operator,
  type OperatorContext,
  optionalIntegers,
  sequence,
} from "./context.js";
import { broadcastShape, broadcastTo } from "./elementwise.js";

const reshape: Operator = (c) => {
  const x = c.input(0);
  const keepsZero = intAttribute(c.node, "allowzero", 0) !== 0;
  const wanted = integers(c.input(1));
  return c.tf.reshape(
    x,
    wanted.map((size, i) => (size === 0 && !keepsZero ? (x.shape[i] as number) : size)),
  );
};

const flatten: Operator = (c) => {
  const x = c.input(0);
  const axis = normalAxis(intAttribute(c.node, "axis", 1), x.rank);
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  return c.tf.reshape(x, [size(x.shape.slice(0, axis)), size(x.shape.slice(axis))]);
};

const squeeze: Operator = (c) => {
  const x = c.input(0);
  const axes = optionalIntegers(c, 1)?.map((axis) => normalAxis(axis, x.rank));
  return c.tf.reshape(
    x,
    x.shape.filter((size, i) => (axes === undefined ? size !== 1 : !axes.includes(i))),
  );
};

const unsqueeze: Operator = (c) => {
  const x = c.input(0);
  const given = integers(c.input(1));
  const rank = x.rank + given.length;
  const axes = given.map((axis) => normalAxis(axis, rank));
  const rest = [...x.shape];
  return c.tf.reshape(
    x,
    sequence(rank).map((i) => (axes.includes(i) ? 1 : (rest.shift() as number))),
  );
};

const transpose: Operator = (c) => {
  const x = c.input(0);
  return c.tf.transpose(x, intsAttribute(c.node, "perm") ?? sequence(x.rank).reverse());
};

const expand: Operator = (c) => {
  const x = c.input(0);
  return broadcastTo(c.tf, x, broadcastShape(c, [x.shape, integers(c.input(1))]));
};

const concat: Operator = (c) => {
  const parts = c.inputs();
  const axis = normalAxis(intAttribute(c.node, "axis", 0), (parts[0] as TfTensor).rank);
  return c.tf.concat([...parts], axis);
};

const split: Operator = (c) => {
  const x = c.input(0);
  const axis = normalAxis(intAttribute(c.node, "axis", 0), x.rank);
  const length = x.shape[axis] as number;
  const parts = c.node.output.length;
  // The gradient of `tf.split` fails for a single part.
  if (parts === 1) return x;
  const size = Math.ceil(length / parts);
  const even = sequence(parts).map((i) => Math.min(size, length - i * size));
  return c.tf.split(x, optionalIntegers(c, 1) ?? even, axis);
};

/**
 * Slices with steps of one are TensorFlow's; others gather their positions, since strided slices have no gradient
 * there.
 */
const slice: Operator = (c) => {
  const { tf } = c;
  const x = c.input(0);
  const [starts, ends] = [integers(c.input(1)), integers(c.input(2))];
  const axes = (optionalIntegers(c, 3) ?? sequence(starts.length)).map((axis) => normalAxis(axis, x.rank));
  const steps = optionalIntegers(c, 4) ?? starts.map(() => 1);
  const [begin, size] = [x.shape.map(() => 0), [...x.shape]];
  const strided: { readonly axis: number; readonly positions: readonly number[] }[] = [];
  for (const [i, axis] of axes.entries()) {
    const positions = positionsOf(x.shape[axis] as number, {
      start: starts[i] as number,
      end: ends[i] as number,
      step: steps[i] as number,
    });
    if (steps[i] === 1) [begin[axis], size[axis]] = [positions[0] ?? 0, positions.length];
    else strided.push({ axis, positions });
  }
  let y = tf.slice(x, begin, size);
  for (const { axis, positions } of strided) {
    y = tf.gather(y, tf.tensor1d([...positions], "int32"), axis);
  }
  return y;
};

interface Bounds {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Negative bounds count from the end; all are clamped to the length. */
function positionsOf(length: number, { start, end, step }: Bounds): number[] {
  const from = start < 0 ? start + length : start;
  const to = end < 0 ? end + length : end;
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const clamp = (value: number, least: number): number => Math.min(high, Math.max(least, value));
  const last = clamp(to, low);
  const positions: number[] = [];
  for (let i = clamp(from, 0); step > 0 ? i < last : i > last; i += step) positions.push(i);
  return positions;
}

/** Padding with a constant; negative widths cut off. */
const pad: Operator = (c) => {
  const { tf } = c;
  const x = c.input(0);
  const mode = stringAttribute(c.node, "mode", "constant");
  if (mode !== "constant") c.refuse("mode", "constant", mode);
  const widths = integers(c.input(1));
  const axes = (optionalIntegers(c, 3) ?? sequence(x.rank)).map((axis) => normalAxis(axis, x.rank));
  const around = x.shape.map((): [number, number] => [0, 0]);
  for (const [i, axis] of axes.entries())
    around[axis] = [widths[i] as number, widths[i + axes.length] as number];
  const cut = around.map(([before]) => Math.max(0, -before));
  const kept = x.shape.map(
    (size, i) => size - (cut[i] as number) - Math.max(0, -(around[i] as [number, number])[1]),
  );
  const inner = around.some((pair) => pair.some((width) => width < 0)) ? tf.slice(x, cut, kept) : x;
  const value = c.optional(2)?.dataSync()[0] ?? 0;
  return tf.pad(
    inner,
    around.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]),
    value,
  );
};

const tile: Operator = (c) => c.tf.tile(c.input(0), integers(c.input(1)));

/** Dimensions, from `start` to `end`. */
const shape: Operator = (c: OperatorContext) => {
  const { shape: dimensions } = c.input(0);
  const start = intAttribute(c.node, "start", 0);
  const end = intAttribute(c.node, "end", dimensions.length);
  return c.tf.tensor1d(dimensions.slice(start, end), "int32");
};

export const shapeOperators: Readonly<Record<string, Operator>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Tile: tile,
  Shape: shape,
  Size: (c) => c.tf.scalar(c.input(0).size, "int32"),
};
