import { toFloat32 } from "@nasty/core";
import { intAttribute, dtypeOf } from "@nasty/formats/onnx";
import { unbroadcast } from "../broadcast.js";
import { castTo } from "../gradient-writer.js";
import type { GradientContext, GradientRule } from "../rule.js";

/** The gradient for operand i, summed where the operand was broadcast; nothing if it is not wanted. */
function operand(c: GradientContext, index: number, gradient: () => string): string | undefined {
  if (!c.needs(index)) return undefined;
  return unbroadcast(c, gradient(), { operand: c.input(index), from: c.dimensions(c.output(0)) });
}

const add: GradientRule = (c) => {
  const dy = c.gradientOrZeros(0);
  return [operand(c, 0, () => dy), operand(c, 1, () => dy)];
};

const sub: GradientRule = (c) => {
  const dy = c.gradientOrZeros(0);
  return [operand(c, 0, () => dy), operand(c, 1, () => c.writer.op("Neg", [dy]))];
};

const mul: GradientRule = (c) => {
  const dy = c.gradientOrZeros(0);
  const { op } = c.writer;
  return [operand(c, 0, () => op("Mul", [dy, c.input(1)])), operand(c, 1, () => op("Mul", [dy, c.input(0)]))];
};

/** y = a / b: da = dy / b, db = −dy·y / b. */
const div: GradientRule = (c) => {
  const { op } = c.writer;
  const quotient = op("Div", [c.gradientOrZeros(0), c.input(1)]);
  return [
    operand(c, 0, () => quotient),
    operand(c, 1, () => op("Neg", [op("Mul", [quotient, c.output(0)])])),
  ];
};

/** y = x^p: dx = dy·p·x^(p−1), dp = dy·y·ln x. */
const pow: GradientRule = (c) => {
  const { writer } = c;
  const [x, p] = [c.input(0), c.input(1)];
  const dy = c.gradientOrZeros(0);
  const dx = (): string => {
    const constant = c.constant(p);
    const exponent = constant?.data.length === 1 ? (toFloat32(constant)[0] as number) : undefined;
    if (exponent === 2) return writer.op("Mul", [dy, writer.op("Mul", [x, writer.scalar(2)])]);
    const float = exponent === undefined ? p : writer.scalar(exponent);
    const lower =
      exponent === undefined ? writer.op("Sub", [p, writer.scalar(1)]) : writer.scalar(exponent - 1);
    return writer.op("Mul", [dy, writer.op("Mul", [writer.op("Pow", [x, lower]), float])]);
  };
  const dp = (): string => writer.op("Mul", [dy, writer.op("Mul", [c.output(0), writer.op("Log", [x])])]);
  return [operand(c, 0, dx), operand(c, 1, dp)];
};

/** Sum of any number of operands. */
const sum: GradientRule = (c) => {
  const dy = c.gradientOrZeros(0);
  return c.node.input.map((_, i) => operand(c, i, () => dy));
};

/** y = the larger (smaller) operand; operands that tie share the gradient equally. */
const extremum: GradientRule = (c) => {
  const { writer } = c;
  const wins = c.node.input.map((x) =>
    writer.op("Cast", [writer.op("Equal", [x, c.output(0)])], castTo("float32")),
  );
  const share =
    wins.length === 1 ? c.gradientOrZeros(0) : writer.op("Div", [c.gradientOrZeros(0), writer.sum(wins)]);
  return c.node.input.map((_, i) => operand(c, i, () => writer.op("Mul", [share, wins[i] as string])));
};

/** y = condition ? a : b. */
const where: GradientRule = (c) => {
  const { writer } = c;
  const dy = c.gradientOrZeros(0);
  const zero = writer.scalar(0);
  return [
    undefined,
    operand(c, 1, () => writer.op("Where", [c.input(0), dy, zero])),
    operand(c, 2, () => writer.op("Where", [c.input(0), zero, dy])),
  ];
};

/** y = min(max(x, low), high): the gradient passes where x lies in the closed interval. */
const clip: GradientRule = (c) => {
  const { writer } = c;
  const x = c.input(0);
  const tests = [
    ...(c.input(1) === "" ? [] : [writer.op("GreaterOrEqual", [x, c.input(1)])]),
    ...(c.input(2) === "" ? [] : [writer.op("LessOrEqual", [x, c.input(2)])]),
  ];
  const dy = c.gradientOrZeros(0);
  if (tests.length === 0) return [dy];
  const inside = tests.reduce((a, b) => writer.op("And", [a, b]));
  return [writer.op("Where", [inside, dy, writer.scalar(0)])];
};

/** Casts between float types carry the gradient; any other cast ends it (see `stopsGradient`). */
const cast: GradientRule = (c) => {
  if (dtypeOf(intAttribute(c.node, "to", 0)) !== "float32")
    c.refuse("target type", "float32", String(intAttribute(c.node, "to", 0)));
  return [c.gradientOrZeros(0)];
};

/** A rule dx = dy·f(x, y) for an operator of one operand. */
function derivative(f: (c: GradientContext, x: string, y: string) => string): GradientRule {
  return (c) => [c.writer.op("Mul", [c.gradientOrZeros(0), f(c, c.input(0), c.output(0))])];
}

const square = (c: GradientContext, x: string): string => c.writer.op("Mul", [x, x]);

export const elementwiseRules: Readonly<Record<string, GradientRule>> = {
  Add: add,
  Sub: sub,
  Mul: mul,
  Div: div,
  Pow: pow,
  Sum: sum,
  Max: extremum,
  Min: extremum,
  Where: where,
  Clip: clip,
  Cast: cast,
  Identity: (c) => [c.gradientOrZeros(0)],
  Neg: (c) => [c.writer.op("Neg", [c.gradientOrZeros(0)])],
  Abs: derivative((c, x) => c.writer.op("Sign", [x])),
  Exp: derivative((_, __, y) => y),
  Log: (c) => [c.writer.op("Div", [c.gradientOrZeros(0), c.input(0)])],
  /** dx = dy / 2y. */
  Sqrt: (c) => [
    c.writer.op("Div", [c.gradientOrZeros(0), c.writer.op("Mul", [c.output(0), c.writer.scalar(2)])]),
  ],
  /** dx = −dy·y². */
  Reciprocal: derivative((c, _, y) => c.writer.op("Neg", [square(c, y)])),
  /** dx = dy·2/√π·exp(−x²). */
  Erf: derivative((c, x) => {
    const gaussian = c.writer.op("Exp", [c.writer.op("Neg", [square(c, x)])]);
    return c.writer.op("Mul", [gaussian, c.writer.scalar(2 / Math.sqrt(Math.PI))]);
  }),
  Sin: derivative((c, x) => c.writer.op("Cos", [x])),
  Cos: derivative((c, x) => c.writer.op("Neg", [c.writer.op("Sin", [x])])),
};
