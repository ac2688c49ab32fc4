import { floatAttribute, intAttribute, stringAttribute } from "@nasty/formats/onnx";
import { isStandard } from "@nasty/graph";
import type { TensorFlow, TfTensor } from "../tensorflow.js";
import { normalAxis, type Operator, type OperatorContext, sequence } from "./context.js";

/** x·Φ(x), or with `approximate = tanh` its usual approximation. */
const gelu: Operator = (c) => {
  const { tf, node } = c;
  const x = c.input(0);
  const approximate = isStandard(node) && stringAttribute(node, "approximate", "none") === "tanh";
  const inner = approximate
    ? tf.tanh(tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI)))
    : tf.erf(tf.mul(x, Math.SQRT1_2));
  return tf.mul(tf.mul(x, 0.5), tf.add(inner, 1));
};

/** TensorFlow.js knows these functions along the last axis only. */
function alongLast(c: OperatorContext, f: (tf: TensorFlow, x: TfTensor) => TfTensor): TfTensor {
  const x = c.input(0);
  const axis = normalAxis(intAttribute(c.node, "axis", -1), x.rank);
  if (axis === x.rank - 1) return f(c.tf, x);
  const swap = sequence(x.rank);
  [swap[axis], swap[x.rank - 1]] = [x.rank - 1, axis];
  return c.tf.transpose(f(c.tf, c.tf.transpose(x, swap)), swap);
}

export const activationOperators: Readonly<Record<string, Operator>> = {
  Tanh: (c) => c.tf.tanh(c.input(0)),
  Sigmoid: (c) => c.tf.sigmoid(c.input(0)),
  Relu: (c) => c.tf.relu(c.input(0)),
  LeakyRelu: (c) => c.tf.leakyRelu(c.input(0), floatAttribute(c.node, "alpha", 0.01)),
  PRelu: (c) => c.tf.prelu(c.input(0), c.input(1)),
  Softplus: (c) => c.tf.softplus(c.input(0)),
  Gelu: gelu,
  Softmax: (c) => alongLast(c, (tf, x) => tf.softmax(x)),
  LogSoftmax: (c) => alongLast(c, (tf, x) => tf.logSoftmax(x)),
};
