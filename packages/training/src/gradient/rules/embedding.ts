import { intAttribute } from "@nasty/formats/onnx";
import type { GradientContext, GradientRule } from "../rule.js";

/**
 * y = x[indices] along an axis: dx receives every row of dy at its index; rows of equal index add up.
 *
 * For a table that is itself a weight the rows are handed out as they are, with their indices: the optimizer adds them
 * up and touches no other row.
 */
const gather: GradientRule = (c) => {
  const { writer, node } = c;
  const [x, indices] = [c.input(0), c.input(1)];
  const rank = c.rank(x);
  const raw = intAttribute(node, "axis", 0);
  const axis = raw < 0 ? raw + rank : raw;
  const dy = c.gradientOrZeros(0);
  const flat = writer.op("Reshape", [writer.op("Cast", [indices], { to: 7 }), writer.ints([-1])]);
  if (axis === 0 && rank === 2) {
    const width = c.dimensions(x)?.[1];
    const last = typeof width === "number" ? writer.ints([-1, width]) : undefined;
    const shape = last ?? writer.op("Concat", [writer.ints([-1]), writer.dimension(x, 1)], { axis: 0 });
    const rows = writer.op("Reshape", [dy, shape]);
    if (c.acceptRows(x, flat, rows)) return [undefined];
  }
  return [scatterRows(c, { axis, rank, flat, dy })];
};

interface Rows {
  readonly axis: number;
  readonly rank: number;
  readonly flat: string;
  readonly dy: string;
}

function scatterRows(c: GradientContext, { axis, rank, flat, dy }: Rows): string {
  const { writer } = c;
  const x = c.input(0);
  const others = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => writer.dimension(x, from + i));
  const count = writer.shape(flat);
  // dy as [before…, indices, after…], then the indices first, as ScatterND wants them.
  const joined = writer.op("Concat", [...others(0, axis), count, ...others(axis + 1, rank)], { axis: 0 });
  const pieces = writer.op("Reshape", [dy, joined]);
  const front = [axis, ...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis)];
  const back = front.map((_, i) => front.indexOf(i));
  const move = (name: string, perm: readonly number[]): string =>
    axis === 0 ? name : writer.op("Transpose", [name], { perm });
  const zeros = writer.op(
    "ConstantOfShape",
    [axis === 0 ? writer.shape(x) : writer.op("Gather", [writer.shape(x), writer.ints(front)])],
    { value: { dtype: "float32", shape: [1], data: new Float32Array(1) } },
  );
  const column = writer.op("Unsqueeze", [flat, writer.ints([1])]);
  const sum = writer.op("ScatterND", [zeros, column, move(pieces, front)], { reduction: "add" });
  return move(sum, back);
}

/** y[i][j] = x[index[i][j]][j] (along the axis): each element of dy is added at its index. */
const gatherElements: GradientRule = (c) => {
  const { writer, node } = c;
  const zeros = writer.zerosLike(c.input(0));
  const axis = intAttribute(node, "axis", 0);
  return [
    writer.op("ScatterElements", [zeros, c.input(1), c.gradientOrZeros(0)], { axis, reduction: "add" }),
  ];
};

export const embeddingRules: Readonly<Record<string, GradientRule>> = {
  Gather: gather,
  GatherElements: gatherElements,
};
