import { type DequantizableDType, type DType, integerRange } from "@nasty/core";
import { dtypeOf, intAttribute } from "@nasty/formats/onnx";
import type { TfTensor } from "../tensorflow.js";
import { normalAxis, type Operator, type OperatorContext, type Save, untaped } from "./context.js";

/**
 * q = clip(round(x / scale) + zero point): the gradient passes straight through, in the scale of the real numbers,
 * where x lies in the quantized range, and is zero where x saturates. Integers are kept as float32.
 *
 * Source: Y. Bengio, N. Léonard and A. Courville (2013), section 4; the clipped form of B. Jacob et al. (2018),
 * section 3.
 */
const quantizeLinear: Operator = (c) => {
  const { tf } = c;
  const { min, max } = integerRange(quantizedType(c) as DequantizableDType);
  return tf.customGrad((...args) => {
    const [x, save] = args as [TfTensor, Save];
    const zeroPoint = c.optional(2) === undefined ? tf.scalar(0) : tf.cast(alongAxis(c, 2), "float32");
    const steps = tf.div(x, alongAxis(c, 1));
    const place = tf.add(steps, zeroPoint);
    // A half-way value still rounds into the range, hence the half.
    const inside = tf.logicalAnd(tf.greaterEqual(place, min - 0.5), tf.lessEqual(place, max + 0.5));
    save([tf.cast(inside, "float32")]);
    return {
      value: tf.clipByValue(tf.add(tf.round(steps), zeroPoint), min, max),
      gradFunc: (dy: TfTensor, saved: TfTensor[]) => tf.mul(dy, saved[0] as TfTensor),
    };
  })(c.input(0));
};

/**
 * y = (q − zero point)·scale; the gradient passes as it is, since that of QuantizeLinear is in real numbers already.
 */
const dequantizeLinear: Operator = (c) => {
  const { tf } = c;
  const compute = (q: TfTensor): TfTensor => {
    const value = tf.cast(q, "float32");
    const shifted = c.optional(2) === undefined ? value : tf.sub(value, tf.cast(alongAxis(c, 2), "float32"));
    return tf.mul(shifted, alongAxis(c, 1));
  };
  const q = c.input(0);
  if (q.dtype !== "float32") return untaped(tf, () => compute(q));
  return tf.customGrad((operand) => ({
    value: compute(operand as TfTensor),
    gradFunc: (dy: TfTensor) => dy.clone(),
  }))(q);
};

function quantizedType(c: OperatorContext): DType {
  if (c.optional(2) !== undefined) return c.dtype(2) ?? "uint8";
  return dtypeOf(intAttribute(c.node, "output_dtype", 0)) ?? "uint8";
}

/** A parameter per tensor, or one per channel shaped to be broadcast along its axis; blocks are refused. */
function alongAxis(c: OperatorContext, index: number): TfTensor {
  if (intAttribute(c.node, "block_size", 0) !== 0)
    c.refuse("granularity", "per tensor or per channel", "per block");
  const parameter = c.input(index);
  if (parameter.size === 1) return c.tf.reshape(parameter, []);
  const { rank } = c.input(0);
  const axis = normalAxis(intAttribute(c.node, "axis", 1), rank);
  return c.tf.reshape(
    parameter,
    Array.from({ length: rank }, (_, i) => (i === axis ? parameter.size : 1)),
  );
}

export const quantizationOperators: Readonly<Record<string, Operator>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
};
