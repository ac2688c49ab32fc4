import { castTo } from "../gradient/gradient-writer.js";
import type { LossContext, LossNodes, MeanSquaredErrorLoss } from "./loss.js";
import { maskColumn } from "./mask.js";

/** Emits Σ m·(x − t)² / (rows·D) and its gradient 2·m·(x − t) / (rows·D). */
export function meanSquaredError(c: LossContext, loss: MeanSquaredErrorLoss): LossNodes {
  const { writer } = c;
  const { op } = writer;
  const shape = c.dimensions(loss.prediction);
  const target = c.input(loss.target, "float32", shape);
  const { mask, count } = maskColumn(c, { of: loss.prediction, shape, name: loss.mask });
  const width = op("Cast", [op("Squeeze", [writer.dimension(loss.prediction, -1)])], castTo("float32"));
  const elements = op("Mul", [count, width]);
  const difference = op("Sub", [loss.prediction, target]);
  const kept = mask === undefined ? difference : op("Mul", [difference, mask]);
  const value = op("Div", [op("ReduceSum", [op("Mul", [kept, difference])], { keepdims: 0 }), elements]);
  const gradient = op("Mul", [kept, op("Div", [writer.scalar(2 * c.weight), elements])]);
  return { value, gradients: [{ tensor: loss.prediction, gradient }] };
}
