import { floatAttribute, intAttribute } from "@nasty/formats/onnx";
import { normalAxis, type Operator, sequence } from "./context.js";

/** y = (x − mean) / √(variance + ε)·γ + β over the last dimensions; mean and 1/√ are outputs as well. */
const layerNormalization: Operator = (c) => {
  const { tf } = c;
  const x = c.input(0);
  const first = normalAxis(intAttribute(c.node, "axis", -1), x.rank);
  const axes = sequence(x.rank).slice(first);
  const mean = tf.mean(x, axes, true);
  const centred = tf.sub(x, mean);
  const variance = tf.mean(tf.square(centred), axes, true);
  const inverse = tf.rsqrt(tf.add(variance, floatAttribute(c.node, "epsilon", 1e-5)));
  const scaled = tf.mul(tf.mul(centred, inverse), c.input(1));
  const bias = c.optional(2);
  return [bias === undefined ? scaled : tf.add(scaled, bias), mean, inverse];
};

export const normalisationOperators: Readonly<Record<string, Operator>> = {
  LayerNormalization: layerNormalization,
};
