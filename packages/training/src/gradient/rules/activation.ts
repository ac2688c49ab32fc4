import { floatAttribute, intAttribute, stringAttribute } from "@nasty/formats/onnx";
import { isStandard } from "@nasty/graph";
import { castTo, type GradientWriter } from "../gradient-writer.js";
import type { GradientContext, GradientRule } from "../rule.js";

/** dx = dy·(1 − y²). */
const tanh: GradientRule = ({ writer, ...c }) => {
  const y = c.output(0);
  return [
    writer.op("Mul", [c.gradientOrZeros(0), writer.op("Sub", [writer.scalar(1), writer.op("Mul", [y, y])])]),
  ];
};

/** dx = dy·y·(1 − y) = dy·(y − y²). */
const sigmoid: GradientRule = ({ writer, ...c }) => {
  const y = c.output(0);
  return [writer.op("Mul", [c.gradientOrZeros(0), writer.op("Sub", [y, writer.op("Mul", [y, y])])])];
};

/** The gradient passes where the output is positive. */
const relu: GradientRule = ({ writer, ...c }) => {
  const positive = writer.op("Greater", [c.output(0), writer.scalar(0)]);
  return [writer.op("Where", [positive, c.gradientOrZeros(0), writer.scalar(0)])];
};

const leakyRelu: GradientRule = ({ writer, node, ...c }) => {
  const dy = c.gradientOrZeros(0);
  const slope = writer.scalar(floatAttribute(node, "alpha", 0.01));
  const positive = writer.op("Greater", [c.input(0), writer.scalar(0)]);
  return [writer.op("Where", [positive, dy, writer.op("Mul", [dy, slope])])];
};

/** y = ln(1 + eˣ): dx = dy·sigmoid(x). */
const softplus: GradientRule = ({ writer, ...c }) => [
  writer.op("Mul", [c.gradientOrZeros(0), writer.op("Sigmoid", [c.input(0)])]),
];

/**
 * y = x·Φ(x): dx = dy·(Φ(x) + x·φ(x)), φ(x) = exp(−x²/2) / √(2π); with `approximate = tanh`,
 * y = x/2·(1 + t), t = tanh(u), u = √(2/π)·(x + 0.044715·x³): dx = dy·((1 + t)/2 + x/2·(1 − t²)·u′).
 *
 * Source: D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units" (2016), section 2.
 */
const gelu: GradientRule = ({ writer, node, ...c }) => {
  const x = c.input(0);
  const approximate = isStandard(node) && stringAttribute(node, "approximate", "none") === "tanh";
  const slope = approximate ? tanhGeluSlope(writer, x) : exactGeluSlope(writer, x);
  return [writer.op("Mul", [c.gradientOrZeros(0), slope])];
};

/** With s = x/√2: Φ(x) + x·φ(x) = (1 + erf s)/2 + s·exp(ln(1/√π) − s²), in as few passes as there are operators for. */
function exactGeluSlope({ op, scalar }: GradientWriter, x: string): string {
  const s = op("Mul", [x, scalar(Math.SQRT1_2)]);
  // Nothing is cut off: erf lies between −1 and 1. One pass where a product and a sum are two.
  const half = op("HardSigmoid", [op("Erf", [s])], { alpha: 0.5, beta: 0.5 });
  const gaussian = op("Exp", [op("Sub", [scalar(-0.5 * Math.log(Math.PI)), op("Mul", [s, s])])]);
  return op("Add", [half, op("Mul", [s, gaussian])]);
}

function tanhGeluSlope({ op, scalar }: GradientWriter, x: string): string {
  const c = Math.sqrt(2 / Math.PI);
  const square = op("Mul", [x, x]);
  const inner = op("Add", [op("Mul", [square, scalar(0.044715 * c)]), scalar(c)]);
  const t = op("Tanh", [op("Mul", [x, inner])]);
  const innerSlope = op("Add", [op("Mul", [square, scalar(3 * 0.044715 * c)]), scalar(c)]);
  const sech = op("Sub", [scalar(1), op("Mul", [t, t])]);
  const tail = op("Mul", [op("Mul", [x, sech]), innerSlope]);
  return op("Mul", [op("Add", [op("Add", [t, tail]), scalar(1)]), scalar(0.5)]);
}

/** y = softmax(x): dx = y·(dy − Σ dy·y) over the axis. */
const softmax: GradientRule = (c) => {
  const { writer } = c;
  const y = c.output(0);
  const weighted = writer.op("Mul", [c.gradientOrZeros(0), y]);
  const total = writer.op("ReduceSum", [weighted, writer.ints([axisOf(c)])], { keepdims: 1 });
  return [writer.op("Sub", [weighted, writer.op("Mul", [y, total])])];
};

/** y = x − ln Σ eˣ: dx = dy − eʸ·Σ dy over the axis. */
const logSoftmax: GradientRule = (c) => {
  const { writer } = c;
  const dy = c.gradientOrZeros(0);
  const total = writer.op("ReduceSum", [dy, writer.ints([axisOf(c)])], { keepdims: 1 });
  return [writer.op("Sub", [dy, writer.op("Mul", [writer.op("Exp", [c.output(0)]), total])])];
};

function axisOf(c: GradientContext): number {
  return intAttribute(c.node, "axis", -1);
}

/** y = x for x > 0, slope·x else, with a slope that is not trained. */
const prelu: GradientRule = (c) => {
  const { writer } = c;
  const dy = c.gradientOrZeros(0);
  const positive = writer.op(
    "Cast",
    [writer.op("Greater", [c.input(0), writer.scalar(0)])],
    castTo("float32"),
  );
  if (c.needs(1)) c.refuse("slope", "a constant", "a trainable tensor");
  const negative = writer.op("Sub", [writer.scalar(1), positive]);
  return [writer.op("Mul", [dy, writer.op("Add", [positive, writer.op("Mul", [negative, c.input(1)])])])];
};

export const activationRules: Readonly<Record<string, GradientRule>> = {
  Tanh: tanh,
  Sigmoid: sigmoid,
  Relu: relu,
  LeakyRelu: leakyRelu,
  PRelu: prelu,
  Softplus: softplus,
  Gelu: gelu,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
};
