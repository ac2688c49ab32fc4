import type { KullbackLeiblerLoss, LossContext, LossNodes } from "./loss.js";
import { maskColumn } from "./mask.js";

/** Emits the loss and its gradient T·m·(p − q) over the number of counted rows. */
export function kullbackLeibler(c: LossContext, loss: KullbackLeiblerLoss): LossNodes {
  const { writer } = c;
  const { op } = writer;
  const { temperature = 1 } = loss;
  const shape = c.dimensions(loss.logits);
  const teacher = c.input(loss.teacher, "float32", shape);
  const { mask, count } = maskColumn(c, { of: loss.logits, shape, name: loss.mask });
  const logOf = (logits: string): string =>
    op("LogSoftmax", [temperature === 1 ? logits : op("Mul", [logits, writer.scalar(1 / temperature)])], {
      axis: -1,
    });
  const logP = logOf(loss.logits);
  const logQ = logOf(teacher);
  const q = op("Exp", [logQ]);
  const pointwise = op("Mul", [q, op("Sub", [logQ, logP])]);
  const kept = mask === undefined ? pointwise : op("Mul", [pointwise, mask]);
  const sum = op("ReduceSum", [kept], { keepdims: 0 });
  const value = op("Mul", [op("Div", [sum, count]), writer.scalar(temperature * temperature)]);
  const difference = op("Sub", [op("Exp", [logP]), q]);
  const rows = mask === undefined ? difference : op("Mul", [difference, mask]);
  const gradient = op("Mul", [rows, op("Div", [writer.scalar(c.weight * temperature), count])]);
  return { value, gradients: [{ tensor: loss.logits, gradient }] };
}
