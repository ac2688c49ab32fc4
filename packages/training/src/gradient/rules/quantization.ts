import { integerRange, type DequantizableDType } from "@nasty/core";
import { intAttribute } from "@nasty/formats/onnx";
import { castTo } from "../gradient-writer.js";
import type { GradientContext, GradientRule } from "../rule.js";

/** Begins the names of QuantizeLinear nodes whose input never saturates: their gradient passes without being masked. */
export const unclippedPrefix = "fake-quantization/unclipped/";

/**
 * Straight through with clipping: the gradient passes, in the scale of the real numbers, where x lies inside the
 * quantized range, and is zero where x saturates.
 *
 * Source: Y. Bengio, N. Léonard and A. Courville, "Estimating or Propagating Gradients Through Stochastic Neurons"
 * (2013), section 4; the clipped form as in B. Jacob et al., "Quantization and Training of Neural Networks for
 * Efficient Integer-Arithmetic-Only Inference" (2018), section 3.
 */
const quantizeLinear: GradientRule = (c) => {
  if (c.node.name.startsWith(unclippedPrefix)) return [c.gradientOrZeros(0)];
  const { writer } = c;
  const dtype = c.input(2) === "" ? "uint8" : c.dtype(c.input(2));
  const { min, max } = integerRange((dtype ?? "uint8") as DequantizableDType);
  const scale = alongAxis(c, c.input(1));
  const zeroPoint =
    c.input(2) === ""
      ? undefined
      : alongAxis(c, writer.op("Cast", [c.input(2)], castTo("float32")), c.input(2));
  const steps = writer.op("Div", [c.input(0), scale]);
  const q = zeroPoint === undefined ? steps : writer.op("Add", [steps, zeroPoint]);
  // A half-way value still rounds into the range, hence the half.
  const inside = writer.op("And", [
    writer.op("GreaterOrEqual", [q, writer.scalar(min - 0.5)]),
    writer.op("LessOrEqual", [q, writer.scalar(max + 0.5)]),
  ]);
  return [writer.op("Where", [inside, c.gradientOrZeros(0), writer.scalar(0)])];
};

/** A parameter per channel, shaped to be broadcast along its axis; blocks are refused. */
function alongAxis(c: GradientContext, name: string, source = name): string {
  if (intAttribute(c.node, "block_size", 0) !== 0)
    c.refuse("granularity", "per tensor or per channel", "per block");
  if (c.rank(source) === 0 || c.dimensions(source)?.[0] === 1) return name;
  const rank = c.rank(c.input(0));
  const raw = intAttribute(c.node, "axis", 1);
  const axis = raw < 0 ? raw + rank : raw;
  const shape = Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1));
  return c.writer.op("Reshape", [name, c.writer.ints(shape)]);
}

export const quantizationRules: Readonly<Record<string, GradientRule>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: (c) => [c.gradientOrZeros(0)],
};
