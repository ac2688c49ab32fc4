import { intAttribute } from "@nasty/formats/onnx";
import type { BackendName } from "../backend/backend-name.js";
import type { TensorFlow, TfTensor } from "../tensorflow.js";
import {
  normalAxis,
  type Operator,
  type OperatorContext,
  optionalIntegers,
  type Save,
  sequence,
  untaped,
} from "./context.js";
import { sharedAmongTies } from "./elementwise.js";

type Reduce = (tf: TensorFlow, x: TfTensor, axes: number[], backend: BackendName) => TfTensor;

/** A reduction over the axes of input 1, with the reduced dimensions kept or not. */
const reduction =
  (reduce: Reduce): Operator =>
  (c) => {
    const x = c.input(0);
    const axes = axesOf(c, x.rank);
    if (axes === undefined) return x.clone();
    const kept = reduce(c.tf, x, axes, c.backend);
    if (intAttribute(c.node, "keepdims", 1) !== 0) return kept;
    return c.tf.reshape(
      kept,
      x.shape.filter((_, i) => !axes.includes(i)),
    );
  };

/** The axes from 0; all if none are given; undefined for a reduction over no axes at all, which is the identity. */
function axesOf(c: OperatorContext, rank: number): number[] | undefined {
  const axes = optionalIntegers(c, 1) ?? [];
  if (axes.length > 0) return axes.map((axis) => normalAxis(axis, rank));
  return intAttribute(c.node, "noop_with_empty_axes", 0) === 0 ? sequence(rank) : undefined;
}

const extremum =
  (name: "max" | "min"): Reduce =>
  (tf, x, axes, backend) => {
    if (backend === "wasm" && x.dtype === "float32") return extremumByMask(tf, x, { name, axes });
    const y = tf[name](x, axes, true);
    if (x.dtype !== "float32") return y;
    const ties = untaped(tf, () => tf.sum(tf.cast(tf.equal(x, y), "float32"), axes, true));
    return sharedAmongTies(tf, y, ties);
  };

/**
 * The same on WebAssembly, where TensorFlow's own gradient compares tensors of different shapes, which takes twenty
 * times as long as to compare their difference with zeros; here once.
 */
function extremumByMask(
  tf: TensorFlow,
  x: TfTensor,
  { name, axes }: { readonly name: "max" | "min"; readonly axes: number[] },
): TfTensor {
  return tf.customGrad((...args) => {
    const [operand, save] = args as [TfTensor, Save];
    const y = tf[name](operand, axes, true);
    const below = tf.sub(operand, y);
    const attained = tf.cast(tf.equal(below, tf.zerosLike(below)), "float32");
    save([tf.div(attained, tf.sum(attained, axes, true))]);
    return {
      value: y,
      gradFunc: (dy: TfTensor, saved: TfTensor[]) => tf.mul(dy, saved[0] as TfTensor),
    };
  })(x);
}

export const reductionOperators: Readonly<Record<string, Operator>> = {
  ReduceSum: reduction((tf, x, axes) => tf.sum(x, axes, true)),
  ReduceMean: reduction((tf, x, axes) => tf.mean(x, axes, true)),
  ReduceMax: reduction(extremum("max")),
  ReduceMin: reduction(extremum("min")),
  ReduceProd: reduction((tf, x, axes) => tf.prod(x, axes, true)),
};
