import { intAttribute } from "@nasty/formats/onnx";
import { castTo } from "../gradient-writer.js";
import type { GradientContext, GradientRule } from "../rule.js";

/**
 * Brings a reduced tensor (the result or its gradient) back to the rank of the operand: length 1 where it was reduced.
 */
function keptDimensions(c: GradientContext, name: string): string {
  if (intAttribute(c.node, "keepdims", 1) !== 0) return name;
  const { writer } = c;
  const axes = c.input(1);
  if (axes !== "") {
    const constant = c.constant(axes);
    if (constant === undefined || constant.data.length > 0) return writer.op("Unsqueeze", [name, axes]);
  }
  const rank = c.rank(c.input(0));
  return writer.op("Reshape", [name, writer.ints(Array.from({ length: rank }, () => 1))]);
}

/** True for a reduction over no axes at all, which is the identity. */
function isNoop(c: GradientContext): boolean {
  if (intAttribute(c.node, "noop_with_empty_axes", 0) === 0) return false;
  return c.input(1) === "" || c.constant(c.input(1))?.data.length === 0;
}

/** y = Σ x: dx = dy, spread over the reduced dimensions. */
const reduceSum: GradientRule = (c) => {
  if (isNoop(c)) return [c.gradientOrZeros(0)];
  return [c.writer.op("Expand", [keptDimensions(c, c.gradientOrZeros(0)), c.writer.shape(c.input(0))])];
};

/** y = Σ x / n: dx = dy / n, spread over the reduced dimensions. */
const reduceMean: GradientRule = (c) => {
  if (isNoop(c)) return [c.gradientOrZeros(0)];
  const { writer } = c;
  const size = (name: string): string => writer.op("Cast", [writer.op("Size", [name])], castTo("float32"));
  const scale = writer.op("Div", [size(c.output(0)), size(c.input(0))]);
  const scaled = writer.op("Mul", [keptDimensions(c, c.gradientOrZeros(0)), scale]);
  return [writer.op("Expand", [scaled, writer.shape(c.input(0))])];
};

/** y = max x (min x): the positions that attain it share dy equally. */
const reduceExtremum: GradientRule = (c) => {
  if (isNoop(c)) return [c.gradientOrZeros(0)];
  const { writer } = c;
  const attained = writer.op("Equal", [c.input(0), keptDimensions(c, c.output(0))]);
  const mask = writer.op("Cast", [attained], castTo("float32"));
  const axes = c.input(1);
  const count = writer.op("ReduceSum", axes === "" ? [mask] : [mask, axes], { keepdims: 1 });
  return [writer.op("Mul", [mask, writer.op("Div", [keptDimensions(c, c.gradientOrZeros(0)), count])])];
};

export const reductionRules: Readonly<Record<string, GradientRule>> = {
  ReduceSum: reduceSum,
  ReduceMean: reduceMean,
  ReduceMax: reduceExtremum,
  ReduceMin: reduceExtremum,
};
