import { intAttribute, intsAttribute, stringAttribute } from "@nasty/formats/onnx";
import { unbroadcast } from "../broadcast.js";
import type { GradientContext, GradientRule } from "../rule.js";

/** The elements keep their order, so the gradient only takes the operand's shape again. */
const sameElements: GradientRule = ({ writer, ...c }) => [
  writer.op("Reshape", [c.gradientOrZeros(0), writer.shape(c.input(0))]),
];

const transpose: GradientRule = (c) => {
  const perm = intsAttribute(c.node, "perm");
  const dy = c.gradientOrZeros(0);
  if (perm === undefined) return [c.writer.op("Transpose", [dy])];
  const inverse = perm.map((_, i) => perm.indexOf(i));
  return [c.writer.op("Transpose", [dy], { perm: inverse })];
};

const expand: GradientRule = (c) => [
  unbroadcast(c, c.gradientOrZeros(0), { operand: c.input(0), from: c.dimensions(c.output(0)) }),
];

/** Lengths of tensors along an axis, as one int64 vector. */
function lengths({ writer, dimensions }: GradientContext, names: readonly string[], axis: number): string {
  const known = names.map((name) => dimensions(name)?.at(axis));
  if (known.every((size) => typeof size === "number")) return writer.ints(known);
  return writer.op(
    "Concat",
    names.map((name) => writer.dimension(name, axis)),
    { axis: 0 },
  );
}

/** y = the operands one after the other: dx = the pieces of dy. */
const concat: GradientRule = (c) => {
  const { writer, node } = c;
  const axis = normalAxis(c, intAttribute(node, "axis", 0), c.output(0));
  const sizes = lengths(c, node.input, axis);
  const pieces = writer.ops("Split", [c.gradientOrZeros(0), sizes], node.input.length, { axis });
  return pieces.map((piece, i) => (c.needs(i) ? piece : undefined));
};

/** The pieces' gradients one after the other; zeros for pieces that the loss does not depend on. */
const split: GradientRule = (c) => {
  const { writer, node } = c;
  const pieces = node.output.map((_, i) => c.gradientOrZeros(i));
  return [writer.op("Concat", pieces, { axis: intAttribute(node, "axis", 0) })];
};

function normalAxis(c: GradientContext, axis: number, of: string): number {
  return axis < 0 ? axis + c.rank(of) : axis;
}

/**
 * y = x[start:end:step] per axis: dx has dy at the positions taken and zeros elsewhere.
 *
 * The positions are found by slicing 0, 1, 2, … in the same way, so negative, clamped and run-time bounds need no care.
 */
const slice: GradientRule = (c) => {
  const { writer } = c;
  const x = c.input(0);
  const axes = constantInts(c, 3) ?? Array.from({ length: sliceCount(c) }, (_, i) => i);
  const steps = constantInts(c, 4) ?? axes.map(() => 1);
  let gradient = c.gradientOrZeros(0);
  for (const [i, raw] of axes.entries()) {
    const axis = normalAxis(c, raw, x);
    const length = writer.dimension(x, axis);
    const part = (input: number): string =>
      writer.op("Slice", [c.input(input), writer.ints([i]), writer.ints([i + 1])]);
    const scalarLength = writer.op("Squeeze", [length]);
    const all = writer.op("Range", [writer.scalar(0, "int64"), scalarLength, writer.scalar(1, "int64")]);
    const taken = writer.op("Slice", [all, part(1), part(2), writer.ints([0]), writer.ints([steps[i] ?? 1])]);
    const count = writer.shape(taken);
    gradient =
      steps[i] === 1
        ? padAround(c, gradient, { axis, length, start: part(1), count })
        : scatterAlong(c, gradient, { axis, length, taken, count });
  }
  return [gradient];
};

interface Place {
  readonly axis: number;
  /** Length of the operand along the axis. */
  readonly length: string;
  /** How many positions were taken. */
  readonly count: string;
}

/** Zeros before and after the piece; `start` may be negative or out of bounds. */
function padAround(c: GradientContext, gradient: string, place: Place & { readonly start: string }): string {
  const { writer } = c;
  const { axis, length, start, count } = place;
  const negative = writer.op("Less", [start, writer.ints([0])]);
  const fromStart = writer.op("Where", [negative, writer.op("Add", [start, length]), start]);
  const low = writer.op("Max", [fromStart, writer.ints([0])]);
  const before = writer.op("Min", [low, writer.op("Sub", [length, count])]);
  const after = writer.op("Sub", [writer.op("Sub", [length, count]), before]);
  const pads = writer.op("Concat", [before, after], { axis: 0 });
  return writer.op("Pad", [gradient, pads, writer.scalar(0), writer.ints([axis])]);
}

/** Every position of the operand fetches its piece of the gradient, or the zero that is put after the last piece. */
function scatterAlong(
  c: GradientContext,
  gradient: string,
  place: Place & { readonly taken: string },
): string {
  const { writer } = c;
  const { axis, length, taken, count } = place;
  const withZero = writer.op("Pad", [gradient, writer.ints([0, 1]), writer.scalar(0), writer.ints([axis])]);
  const none = writer.op("Expand", [count, length]);
  const order = writer.op("Range", [
    writer.scalar(0, "int64"),
    writer.op("Squeeze", [count]),
    writer.scalar(1, "int64"),
  ]);
  const sources = writer.op("ScatterElements", [none, taken, order], { axis: 0 });
  return writer.op("Gather", [withZero, sources], { axis });
}

function sliceCount(c: GradientContext): number {
  const size = c.dimensions(c.input(1))?.[0];
  if (typeof size !== "number") c.refuse("starts", "a known number of axes", "an unknown one");
  return size;
}

function constantInts(c: GradientContext, index: number): number[] | undefined {
  const name = c.input(index);
  if (name === "") return undefined;
  const value = c.constant(name);
  if (value === undefined)
    c.refuse(`input ${index}`, "a constant", `the computed value ${JSON.stringify(name)}`);
  return Array.from(value.data as Iterable<number | bigint>, Number);
}

/** Padding with a constant: dx = the inner part of dy. */
const pad: GradientRule = (c) => {
  const { writer, node } = c;
  const mode = stringAttribute(node, "mode", "constant");
  if (mode !== "constant") c.refuse("mode", "constant", mode);
  const rank = c.rank(c.input(0));
  if (c.input(3) !== "") c.refuse("axes", "none", "an input");
  const before = writer.op("Slice", [c.input(1), writer.ints([0]), writer.ints([rank])]);
  const end = writer.op("Add", [before, writer.shape(c.input(0))]);
  return [writer.op("Slice", [c.gradientOrZeros(0), before, end])];
};

export const shapeRules: Readonly<Record<string, GradientRule>> = {
  Reshape: sameElements,
  Flatten: sameElements,
  Squeeze: sameElements,
  Unsqueeze: sameElements,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
};
