import { castTo } from "../gradient/gradient-writer.js";
import type { Dimensions } from "../gradient/rule.js";
import type { LossContext } from "./loss.js";

/** A mask of rows as a column [..., 1], and how many rows count (at least a tiny number, so that none gives 0). */
export function maskColumn(
  { writer, input }: LossContext,
  { of, shape, name }: { readonly of: string; readonly shape: Dimensions; readonly name: string | undefined },
): { readonly mask: string | undefined; readonly count: string } {
  const { op } = writer;
  if (name === undefined) {
    const size = op("Cast", [op("Size", [of])], castTo("float32"));
    return {
      mask: undefined,
      count: op("Div", [size, op("Cast", [op("Squeeze", [writer.dimension(of, -1)])], castTo("float32"))]),
    };
  }
  const rows = input(name, "float32", shape.slice(0, -1));
  const count = op("Max", [op("ReduceSum", [rows], { keepdims: 0 }), writer.scalar(1e-30)]);
  return { mask: op("Unsqueeze", [rows, writer.ints([-1])]), count };
}
