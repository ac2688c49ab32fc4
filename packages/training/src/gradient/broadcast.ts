import type { Dimensions, GradientContext } from "./rule.js";

export interface Broadcast {
  /** Tensor of the forward graph that was broadcast. */
  readonly operand: string;
  /** Dimensions that it was broadcast to; undefined if not even their number is known. */
  readonly from: Dimensions | undefined;
  /** Its own dimensions, where they are better known than by its name. */
  readonly to?: Dimensions | undefined;
}

/**
 * Sums a gradient over the dimensions along which its operand was broadcast.
 *
 * With y = broadcast(x): dx = Σ dy over every dimension that x lacks or has with length 1. Where lengths are not
 * known before the graph runs, the dimensions of length 1 are found while it runs.
 *
 * @param gradient gradient with the broadcast shape
 */
export function unbroadcast(c: GradientContext, gradient: string, broadcast: Broadcast): string {
  const { writer } = c;
  const { operand, from, to = c.dimensions(operand) } = broadcast;
  if (to === undefined || from === undefined) return sumWhereOne(c, gradient, operand);
  const missing = from.length - to.length;
  const axes: number[] = [];
  for (let i = 0; i < from.length; i++) {
    const inner = i < missing ? 1 : to[i - missing];
    const outer = from[i];
    if (i >= missing && inner === outer && inner !== undefined) continue;
    if (inner === 1) axes.push(i);
    else if (typeof inner !== "number") return sumWhereOne(c, gradient, operand); // may turn out to be 1
  }
  if (axes.length === 0) return gradient;
  const onlyLeading = axes.length === missing && axes.every((axis, i) => axis === i);
  const width = to.at(-1);
  if (onlyLeading && to.length === 1 && typeof width === "number")
    return writer.sumRows(gradient, [...from.slice(0, -1), width]);
  const summed = writer.op("ReduceSum", [gradient, writer.ints(axes)], { keepdims: onlyLeading ? 0 : 1 });
  return missing === 0 || onlyLeading ? summed : writer.op("Reshape", [summed, writer.shape(operand)]);
}

function sumWhereOne({ writer, dimensions }: GradientContext, gradient: string, operand: string): string {
  const shape = writer.shape(operand);
  const rank = dimensions(operand)?.length;
  // Prefixing ones up to the rank of the gradient makes the positions comparable.
  const missing = writer.op("Sub", [
    writer.op("Shape", [writer.shape(gradient)]),
    writer.op("Shape", [shape]),
  ]);
  const ones = writer.op("ConstantOfShape", [missing], {
    value: { dtype: "int64", shape: [1], data: BigInt64Array.of(1n) },
  });
  const padded = rank === 0 ? ones : writer.op("Concat", [ones, shape], { axis: 0 });
  const isOne = writer.op("Equal", [padded, writer.ints([1])]);
  const axes = writer.op("Reshape", [writer.op("NonZero", [isOne]), writer.ints([-1])]);
  const summed = writer.op("ReduceSum", [gradient, axes], { keepdims: 1, noop_with_empty_axes: 1 });
  return writer.op("Reshape", [summed, shape]);
}
