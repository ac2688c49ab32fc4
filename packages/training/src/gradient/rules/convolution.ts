import { intAttribute, intsAttribute, stringAttribute } from "@nasty/formats/onnx";
import type { GradientContext, GradientRule } from "../rule.js";

interface Window {
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly group: number;
}

/**
 * Y[n, o, t] = b[o] + Σ W[o, i, k]·X[n, i, t·stride + k·dilation − before], one spatial dimension.
 *
 * dX is the transposed convolution of dY with W (for a stride of 1, the convolution with W turned round); dW is one
 * product of dY with the windows of X, taken tap by tap; db = Σ dY.
 */
const conv: GradientRule = (c) => {
  const { writer } = c;
  if (c.rank(c.input(0)) !== 3)
    c.refuse("input rank", "3 (one spatial dimension)", String(c.rank(c.input(0))));
  const window = windowOf(c);
  const dy = c.gradientOrZeros(0);
  return [
    c.needs(0) ? inputGradient(c, window, dy) : undefined,
    c.needs(1) ? weightGradient(c, window, dy) : undefined,
    c.needs(2) ? writer.op("ReduceSum", [dy, writer.ints([0, 2])], { keepdims: 0 }) : undefined,
  ];
};

function windowOf(c: GradientContext): Window {
  const { node } = c;
  const taps = c.dimensions(c.input(1))?.[2];
  if (typeof taps !== "number") c.refuse("kernel length", "a number", String(taps));
  const stride = intsAttribute(node, "strides", [1])[0] ?? 1;
  const dilation = intsAttribute(node, "dilations", [1])[0] ?? 1;
  const group = intAttribute(node, "group", 1);
  const mode = stringAttribute(node, "auto_pad", "NOTSET");
  const total = (taps - 1) * dilation;
  if (mode === "VALID") return { taps, stride, dilation, group, before: 0, after: 0 };
  if (mode === "NOTSET") {
    const [before = 0, after = 0] = intsAttribute(node, "pads", [0, 0]);
    return { taps, stride, dilation, group, before, after };
  }
  // With a stride the padding depends on the length, which is only known when the graph runs.
  if (stride !== 1) c.refuse("auto_pad", "NOTSET or VALID with a stride", mode);
  const small = Math.floor(total / 2);
  const before = mode === "SAME_LOWER" ? total - small : small;
  return { taps, stride, dilation, group, before, after: total - before };
}

function inputGradient(c: GradientContext, w: Window, dy: string): string {
  const { writer } = c;
  const span = (w.taps - 1) * w.dilation;
  if (w.stride === 1 && w.group === 1 && w.before <= span && w.after <= span) return turnedRound(c, w, dy);
  const attributes = { strides: [w.stride], dilations: [w.dilation], group: w.group, pads: [0, 0] };
  const full = writer.op("ConvTranspose", [dy, c.input(1)], attributes);
  // A stride may leave up to stride − 1 positions at the end that no window reads: they get zeros.
  const longer =
    w.stride === 1
      ? full
      : writer.op("Pad", [full, writer.ints([0, w.stride - 1]), writer.scalar(0), writer.ints([2])]);
  if (w.stride === 1 && w.before === 0 && w.after === 0) return full;
  const length = writer.dimension(c.input(0), 2);
  const end = writer.op("Add", [length, writer.ints([w.before])]);
  return writer.op("Slice", [longer, writer.ints([w.before]), end, writer.ints([2])]);
}

/**
 * dX[n, i, t] = Σ W[o, i, k]·dY[n, o, t + before − k·dilation]: a convolution whose kernel is read from the end, with
 * inputs and outputs exchanged. The runtime does it in a third of the time of ConvTranspose.
 */
function turnedRound(c: GradientContext, w: Window, dy: string): string {
  const { writer } = c;
  const exchanged = writer.op("Transpose", [c.input(1)], { perm: [1, 0, 2] });
  const first = writer.ints([-w.taps - 1]);
  const kernel =
    w.taps === 1
      ? exchanged
      : writer.op("Slice", [exchanged, writer.ints([-1]), first, writer.ints([2]), writer.ints([-1])]);
  const span = (w.taps - 1) * w.dilation;
  const pads = [span - w.before, span - w.after];
  return writer.op("Conv", [dy, kernel], { strides: [1], dilations: [w.dilation], pads });
}

function weightGradient(c: GradientContext, w: Window, dy: string): string {
  const { writer } = c;
  const x = c.input(0);
  const padded =
    w.before === 0 && w.after === 0
      ? x
      : writer.op("Pad", [x, writer.ints([w.before, w.after]), writer.scalar(0), writer.ints([2])]);
  const steps = writer.dimension(dy, 2);
  // The last window starts at (steps − 1)·stride; one past its first element is where a tap's slice ends.
  const span = writer.op("Add", [
    writer.op("Mul", [writer.op("Sub", [steps, writer.ints([1])]), writer.ints([w.stride])]),
    writer.ints([1]),
  ]);
  const taps = Array.from({ length: w.taps }, (_, k) => {
    const start = k * w.dilation;
    const end = writer.op("Add", [span, writer.ints([start])]);
    return writer.op("Slice", [padded, writer.ints([start]), end, writer.ints([2]), writer.ints([w.stride])]);
  });
  return w.group === 1 ? denseWeight(c, taps, dy) : groupedWeight(c, taps, { dy, group: w.group });
}

/** dW [O, taps·I] = dY [O, N·T] · windows [N·T, taps·I]: one product for all taps. */
function denseWeight(c: GradientContext, taps: readonly string[], dy: string): string {
  const { writer } = c;
  const shape = c.dimensions(c.input(1)) ?? [];
  const [outputs, inputs] = [shape[0], shape[1]];
  if (typeof outputs !== "number" || typeof inputs !== "number")
    c.refuse("weight shape", "numbers", JSON.stringify(shape));
  const windows = taps.length === 1 ? (taps[0] as string) : writer.op("Concat", taps, { axis: 1 });
  const asRows = (name: string, width: number): string =>
    writer.op("Reshape", [writer.op("Transpose", [name], { perm: [0, 2, 1] }), writer.ints([-1, width])]);
  const product = writer.matmul(asRows(dy, outputs), asRows(windows, taps.length * inputs), { transA: true });
  const byTap = writer.op("Reshape", [product, writer.ints([outputs, taps.length, inputs])]);
  return writer.op("Transpose", [byTap], { perm: [0, 2, 1] });
}

function groupedWeight(
  c: GradientContext,
  taps: readonly string[],
  { dy, group }: { dy: string; group: number },
): string {
  const { writer } = c;
  const shape = c.dimensions(c.input(1)) ?? [];
  const [outputs, inputs] = [shape[0], shape[1]];
  if (typeof outputs !== "number" || typeof inputs !== "number")
    c.refuse("weight shape", "numbers", JSON.stringify(shape));
  const steps = writer.dimension(dy, 2);
  const groups = (name: string, channels: number): string =>
    writer.op("Reshape", [
      name,
      writer.op("Concat", [writer.ints([-1, group, channels]), steps], { axis: 0 }),
    ]);
  const rows = groups(dy, outputs / group);
  const perTap = taps.map((tap) => {
    const products = writer.matmul(rows, groups(tap, inputs), { transB: true });
    const total = writer.op("ReduceSum", [products, writer.ints([0])], { keepdims: 0 });
    return writer.op("Reshape", [total, writer.ints([outputs, inputs, 1])]);
  });
  return perTap.length === 1 ? (perTap[0] as string) : writer.op("Concat", perTap, { axis: 2 });
}

export const convolutionRules: Readonly<Record<string, GradientRule>> = { Conv: conv };
