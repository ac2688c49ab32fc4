import { intAttribute, tensorAttribute, tensorFromProto } from "@nasty/formats/onnx";
import type { TfTensor } from "../tensorflow.js";
import { toTf } from "../values.js";
import { integers, normalAxis, type Operator, type OperatorContext, sequence } from "./context.js";

/** Indices as a vector from 0, checked: TensorFlow's kernels read whatever lies at a wrong one. */
function checkedIndices(c: OperatorContext, length: number): Int32Array {
  const indices = Int32Array.from(c.input(1).dataSync());
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index < -length || index >= length)
      c.refuse(`index ${i}`, `one in [${-length}, ${length - 1}]`, String(index));
    if (index < 0) indices[i] = index + length;
  }
  return indices;
}

const gather: Operator = (c) => {
  const { tf } = c;
  const x = c.input(0);
  const axis = normalAxis(intAttribute(c.node, "axis", 0), x.rank);
  const indices = tf.tensor1d(checkedIndices(c, x.shape[axis] as number), "int32");
  const rows = tf.gather(x, indices, axis);
  return tf.reshape(rows, [...x.shape.slice(0, axis), ...c.input(1).shape, ...x.shape.slice(axis + 1)]);
};

/** y[i][j] = x[index[i][j]][j], by positions in the flattened operand. */
const gatherElements: Operator = (c) => {
  const { tf } = c;
  const x = c.input(0);
  const axis = normalAxis(intAttribute(c.node, "axis", 0), x.rank);
  const indices = checkedIndices(c, x.shape[axis] as number);
  const { shape } = c.input(1);
  const strides = x.shape.map((_, i) => x.shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const positions = new Int32Array(indices.length);
  const place = shape.map(() => 0);
  for (let k = 0; k < indices.length; k++) {
    for (let d = 0; d < shape.length; d++)
      positions[k] =
        (positions[k] as number) + (strides[d] as number) * ((d === axis ? indices[k] : place[d]) as number);
    for (let d = shape.length - 1; d >= 0; d--) {
      place[d] = (place[d] as number) + 1;
      if ((place[d] as number) < (shape[d] as number)) break;
      place[d] = 0;
    }
  }
  return tf.reshape(tf.gather(tf.reshape(x, [x.size]), tf.tensor1d(positions, "int32")), shape);
};

const constantOfShape: Operator = (c) => {
  const value = tensorAttribute(c.node, "value");
  const one = value === undefined ? c.tf.scalar(0) : toTf(c.tf, tensorFromProto(value));
  return c.tf.fill(integers(c.input(0)), one.dataSync()[0] as number, one.dtype as "float32" | "int32");
};

const range: Operator = (c) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => integers(c.input(i))[0] as number) as [
    number,
    number,
    number,
  ];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const values = sequence(count).map((i) => start + i * delta);
  return c.tf.tensor1d(values, c.input(0).dtype as "float32" | "int32");
};

const oneHot: Operator = (c) => {
  const { tf } = c;
  const depth = integers(c.input(1))[0] as number;
  const [off, on] = Array.from(c.input(2).dataSync()) as [number, number];
  const raw = Int32Array.from(c.input(0).dataSync(), (index) => (index < 0 ? index + depth : index));
  const { shape } = c.input(0);
  const flat: TfTensor = tf.oneHot(tf.tensor1d(raw, "int32"), depth, on, off);
  const last = tf.cast(tf.reshape(flat, [...shape, depth]), c.input(2).dtype);
  const axis = normalAxis(intAttribute(c.node, "axis", -1), shape.length + 1);
  if (axis === shape.length) return last;
  const perm = sequence(shape.length);
  perm.splice(axis, 0, shape.length);
  return tf.transpose(last, perm);
};

/** Positions of what is not zero, as [rank, count]. */
const nonZero: Operator = (c) => {
  const x = c.input(0);
  const data = x.dataSync();
  const found = sequence(data.length).filter((i) => data[i] !== 0);
  const strides = x.shape.map((_, i) => x.shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const rows = x.shape.map((size, d) => found.map((i) => Math.floor(i / (strides[d] as number)) % size));
  return c.tf.tensor(Int32Array.from(rows.flat()), [x.rank, found.length], "int32");
};

const argExtremum =
  (name: "argMax" | "argMin"): Operator =>
  (c) => {
    const { tf } = c;
    const x = c.input(0);
    if (intAttribute(c.node, "select_last_index", 0) !== 0) c.refuse("select_last_index", "0", "1");
    const axis = normalAxis(intAttribute(c.node, "axis", 0), x.rank);
    const y = tf[name](x, axis);
    return intAttribute(c.node, "keepdims", 1) === 0 ? y : tf.expandDims(y, axis);
  };

const cumSum: Operator = (c) => {
  const x = c.input(0);
  const axis = normalAxis(integers(c.input(1))[0] as number, x.rank);
  const flag = (name: string): boolean => intAttribute(c.node, name, 0) !== 0;
  return c.tf.cumsum(x, axis, flag("exclusive"), flag("reverse"));
};

export const gatheringOperators: Readonly<Record<string, Operator>> = {
  Gather: gather,
  GatherElements: gatherElements,
  ConstantOfShape: constantOfShape,
  Range: range,
  OneHot: oneHot,
  NonZero: nonZero,
  ArgMax: argExtremum("argMax"),
  ArgMin: argExtremum("argMin"),
  CumSum: cumSum,
};
