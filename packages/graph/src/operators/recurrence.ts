import type { InferRule } from "../inference/rule.js";
import { divideDims } from "../inference/dims.js";
import { operator, type OperatorSchema } from "./schema.js";

/** Y, the last hidden state and, for LSTM, the last cell state; `gates` weights rows per hidden unit. */
const recurrent =
  (gates: number, states: number, weight: "rows" | "columns" = "rows"): InferRule =>
  (c) => {
    const input = c.shape(0);
    const w = c.shape(1);
    const dtype = c.dtype(0);
    const directions = c.string("direction", "forward") === "bidirectional" ? 2 : 1;
    const hidden = c.int("hidden_size") ?? divideDims(weight === "rows" ? w?.[1] : w?.[2], gates);
    const batchFirst = c.int("layout", 0) === 1;
    const length = input?.[batchFirst ? 1 : 0];
    const batch = input?.[batchFirst ? 0 : 1];
    const all = batchFirst ? [batch, length, directions, hidden] : [length, directions, batch, hidden];
    const last = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
    return [{ dtype, shape: all }, ...Array.from({ length: states }, () => ({ dtype, shape: last }))];
  };

/** Recurrent layers. */
export const recurrence: Readonly<Record<string, OperatorSchema>> = {
  LSTM: operator([3, 8], [0, 3], recurrent(4, 2)),
  GRU: operator([3, 6], [0, 2], recurrent(3, 1)),
  RNN: operator([3, 6], [0, 2], recurrent(1, 1)),
};

export const microsoftRecurrence: Readonly<Record<string, OperatorSchema>> = {
  /** Weights are stored transposed: W [directions, input, 4 × hidden]. */
  DynamicQuantizeLSTM: operator(12, [0, 3], recurrent(4, 2, "columns"), { quantization: [8, 9, 10, 11] }),
};
