import { intAttribute, stringAttribute } from "@nasty/formats/onnx";
import { build, type Nd, read } from "./array.js";
import type { Operator } from "./operator.js";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** LSTM step by step for each sequence, from the equations of the ONNX specification. */
export const lstm: Operator = (node, [x, w, r, b, lengths, h0, c0]) => {
  const [X, W, R] = [x as Nd, w as Nd, r as Nd];
  const [steps = 0, batch = 0, width = 0] = X.shape;
  const hidden = intAttribute(node, "hidden_size", 0);
  const direction = stringAttribute(node, "direction", "forward");
  const sides = direction === "bidirectional" ? [false, true] : [direction === "reverse"];
  const Y = build([steps, sides.length, batch, hidden], () => 0);
  const last = [
    build([sides.length, batch, hidden], () => 0),
    build([sides.length, batch, hidden], () => 0),
  ] as const;
  for (const [d, back] of sides.entries()) {
    for (let n = 0; n < batch; n++) {
      const length = lengths === undefined ? steps : read(lengths, [n]);
      let h = Array.from({ length: hidden }, (_, j) => (h0 === undefined ? 0 : read(h0, [d, n, j])));
      let c = Array.from({ length: hidden }, (_, j) => (c0 === undefined ? 0 : read(c0, [d, n, j])));
      for (let s = 0; s < length; s++) {
        const t = back ? length - 1 - s : s;
        const pre = (gate: number, j: number): number => {
          const row = gate * hidden + j;
          let sum = b === undefined ? 0 : read(b, [d, row]) + read(b, [d, row + 4 * hidden]);
          for (let i = 0; i < width; i++) sum += read(W, [d, row, i]) * read(X, [t, n, i]);
          for (let i = 0; i < hidden; i++) sum += read(R, [d, row, i]) * (h[i] as number);
          return sum;
        };
        const next = c.map((old, j) => sigmoid(pre(2, j)) * old + sigmoid(pre(0, j)) * Math.tanh(pre(3, j)));
        const out = next.map((value, j) => sigmoid(pre(1, j)) * Math.tanh(value));
        [h, c] = [out, next];
        for (let j = 0; j < hidden; j++)
          Y.data[((t * sides.length + d) * batch + n) * hidden + j] = h[j] as number;
      }
      for (let j = 0; j < hidden; j++) {
        last[0].data[(d * batch + n) * hidden + j] = h[j] as number;
        last[1].data[(d * batch + n) * hidden + j] = c[j] as number;
      }
    }
  }
  return [Y, ...last];
};
