import { intAttribute, stringAttribute, stringsAttribute, floatAttribute } from "@nasty/formats/onnx";
import type { GradientContext, GradientRule } from "../rule.js";
import {
  type Direction,
  endMask,
  lstmBackward,
  type LstmGradients,
  lstmForward,
  type LstmSizes,
  stepMask,
} from "../lstm.js";

/**
 * A layer of long short-term memory in one or two directions, with sequence lengths and initial states.
 *
 * The runtime's kernel does not hand out its gates, so the forward pass is replaced by a Scan that does (`lstm.ts`).
 */
const lstm: GradientRule = (c) => {
  const { writer } = c;
  const directions = checkedDirections(c);
  const sizes = sizesOf(c, directions.length);
  const lengths = c.input(4);
  const mask = lengths === "" ? undefined : stepMask(writer, c.input(0), lengths);
  const bySide = (name: string, side: number): string =>
    writer.op("Gather", [name, writer.scalar(side, "int64")], { axis: 0 });
  const optional = (index: number, side: number): string | undefined =>
    c.input(index) === "" ? undefined : bySide(c.input(index), side);

  const tapes = directions.map((backwards, side) => {
    const initial = { h: optional(5, side), c: optional(6, side) };
    const hasInitial = initial.h !== undefined || initial.c !== undefined;
    const direction: Direction = {
      backwards,
      mask,
      // Padding comes first on the way back: it must not wash out an initial state.
      reverseLengths: backwards && hasInitial && lengths !== "" ? lengths : undefined,
      end: endMask(writer, c.input(0), { lengths, backwards }),
    };
    const weights = { W: bySide(c.input(1), side), R: bySide(c.input(2), side), B: optional(3, side) };
    return lstmForward(writer, { sizes, x: c.input(0), weights, initial, direction });
  });

  const stack = (names: readonly string[], axis: number): string => {
    const each = names.map((name) => writer.op("Unsqueeze", [name, writer.ints([axis])]));
    return each.length === 1 ? (each[0] as string) : writer.op("Concat", each, { axis });
  };
  const wanted = (index: number, make: () => string): string | undefined =>
    (c.node.output[index] ?? "") === "" ? undefined : make();
  const [gY, gH, gC] = [c.gradient(0), c.gradient(1), c.gradient(2)];
  c.replaceForward([
    wanted(0, () =>
      stack(
        tapes.map((tape) => tape.y),
        1,
      ),
    ),
    wanted(1, () =>
      stack(
        tapes.map((tape) => tape.lastH()),
        0,
      ),
    ),
    wanted(2, () =>
      stack(
        tapes.map((tape) => tape.lastC()),
        0,
      ),
    ),
  ]);

  const parts = tapes.map((tape, side): LstmGradients => {
    const dY =
      gY === undefined ? undefined : writer.op("Gather", [gY, writer.scalar(side, "int64")], { axis: 1 });
    const last = { h: gH && bySide(gH, side), c: gC && bySide(gC, side) };
    return lstmBackward(writer, tape, { dY, last, needs: (index) => c.needs(index) });
  });
  const join = (pieces: readonly (string | undefined)[], index: number): string | undefined =>
    c.needs(index)
      ? writer.op("Reshape", [
          writer.op("Concat", pieces as string[], { axis: 0 }),
          writer.shape(c.input(index)),
        ])
      : undefined;
  return [
    c.needs(0) ? writer.sum(parts.map((part) => part.x as string)) : undefined,
    join(
      parts.map((part) => part.W),
      1,
    ),
    join(
      parts.map((part) => part.R),
      2,
    ),
    join(
      parts.map((part) => part.B),
      3,
    ),
    undefined,
    join(
      parts.map((part) => part.h),
      5,
    ),
    join(
      parts.map((part) => part.c),
      6,
    ),
  ];
};

/** For each side, whether it walks backwards; refuses variants of the operator that have no gradient here. */
function checkedDirections(c: GradientContext): readonly boolean[] {
  const { node } = c;
  const direction = stringAttribute(node, "direction", "forward");
  const sides = direction === "bidirectional" ? [false, true] : [direction === "reverse"];
  if (c.input(7) !== "") c.refuse("peephole weights", "none", "an input");
  if (intAttribute(node, "layout", 0) !== 0) c.refuse("layout", "0 (sequence first)", "1");
  if (intAttribute(node, "input_forget", 0) !== 0) c.refuse("input_forget", "0", "1");
  if (floatAttribute(node, "clip", 0) !== 0)
    c.refuse("clip", "none", String(floatAttribute(node, "clip", 0)));
  const plain = sides.flatMap(() => ["Sigmoid", "Tanh", "Tanh"]);
  const activations = stringsAttribute(node, "activations", plain);
  const same = activations.length === plain.length && activations.every((name, i) => name === plain[i]);
  if (!same) c.refuse("activations", plain.join(", "), activations.join(", "));
  return sides;
}

function sizesOf(c: GradientContext, sides: number): LstmSizes {
  const [width, hidden] = [c.dimensions(c.input(1))?.[2], c.dimensions(c.input(2))?.[2]];
  if (typeof width !== "number") c.refuse("input width", "a number", String(width));
  if (typeof hidden !== "number") c.refuse("hidden size", "a number", String(hidden));
  return { width, hidden, sides };
}

export const recurrentRules: Readonly<Record<string, GradientRule>> = { LSTM: lstm };
