import {
  addDims,
  broadcastShapes,
  type Dim,
  divideDims,
  multiplyDims,
  subtractDims,
} from "../inference/dims.js";
import type { RuleContext, SizeRule, SizeValue } from "../inference/rule.js";
import { all, many, operator, type OperatorSchema } from "./schema.js";
import { broadcast, retyped, sameAs } from "./shape-rules.js";

/** Element `index`, a single element standing for all. */
const pick = (value: SizeValue, index: number): Dim =>
  value.elements[value.elements.length === 1 ? 0 : index];

/** Arithmetic on sizes, element by element, scalars spread. */
const combine =
  (f: (a: Dim, b: Dim) => Dim): SizeRule =>
  (c) =>
    zip(c, f);

const zip = (c: RuleContext, f: (a: Dim, b: Dim) => Dim): SizeValue | undefined => {
  const a = c.sizes(0);
  const b = c.sizes(1);
  if (a === undefined || b === undefined || c.inputCount !== 2) return undefined;
  const length = Math.max(a.elements.length, b.elements.length);
  return {
    scalar: a.scalar && b.scalar,
    elements: Array.from({ length }, (_, index) => f(pick(a, index), pick(b, index))),
  };
};

const map =
  (f: (a: Dim) => Dim): SizeRule =>
  (c) => {
    const a = c.sizes(0);
    return a === undefined ? undefined : { scalar: a.scalar, elements: a.elements.map(f) };
  };

const onNumbers =
  (f: (a: number, b: number) => number) =>
  (a: Dim, b: Dim): Dim => {
    const result = typeof a === "number" && typeof b === "number" ? f(a, b) : undefined;
    return Number.isInteger(result) ? result : undefined;
  };

/** The sign of the divisor, as ONNX has it for integers. */
const modulo = onNumbers((a, b) => (b === 0 ? Number.NaN : a - b * Math.floor(a / b)));

/** Integer division as ONNX does it; of symbols only where it is exact. */
const quotient = (a: Dim, b: Dim): Dim =>
  typeof a === "number" && typeof b === "number" && b !== 0 ? Math.trunc(a / b) : divideDims(a, b);

/** A symbol stands for a size, which is never negative. */
const equals = (a: Dim, b: Dim): Dim => {
  if (a === undefined || b === undefined) return undefined;
  if (a === b) return 1;
  if (typeof a === "number" && typeof b === "number") return 0;
  const number = typeof a === "number" ? a : b;
  return typeof number === "number" && number < 0 ? 0 : undefined;
};

/** Division of float sizes (a Cast before it) would not truncate, so only integers are followed. */
const integersOnly =
  (rule: SizeRule): SizeRule =>
  (c) =>
    c.dtype(0)?.includes("int") === true ? rule(c) : undefined;

const where: SizeRule = (c) => {
  const condition = c.sizes(0);
  const yes = c.sizes(1);
  const no = c.sizes(2);
  if (condition === undefined || yes === undefined || no === undefined) return undefined;
  const length = Math.max(condition.elements.length, yes.elements.length, no.elements.length);
  return {
    scalar: condition.scalar && yes.scalar && no.scalar,
    elements: Array.from({ length }, (_, index) => {
      const chosen = pick(condition, index);
      if (chosen === undefined) return pick(yes, index) === pick(no, index) ? pick(yes, index) : undefined;
      return chosen === 0 ? pick(no, index) : pick(yes, index);
    }),
  };
};

const unary = operator(1, 1, sameAs());
const compared = operator(2, 1, broadcast("bool"));

export const elementwise: Readonly<Record<string, OperatorSchema>> = {
  ...all(
    "Ceil Floor Round Sqrt Exp Log Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh Erf Sign " +
      "Reciprocal Relu LeakyRelu Elu Selu Celu ThresholdedRelu HardSigmoid HardSwish Sigmoid Softplus Softsign Gelu " +
      "Mish Swish Shrink BitwiseNot Softmax LogSoftmax Hardmax LpNormalization MeanVarianceNormalization LRN",
    unary,
  ),
  Abs: operator(1, 1, sameAs(), { sizes: map((a) => (typeof a === "number" ? Math.abs(a) : a)) }),
  Neg: operator(1, 1, sameAs(), { sizes: map((a) => multiplyDims(a, -1)) }),
  Not: operator(1, 1, retyped("bool"), {
    sizes: map((a) => (typeof a === "number" ? Number(a === 0) : undefined)),
  }),
  ...all("IsNaN IsInf", operator(1, 1, retyped("bool"))),
  Clip: operator([1, 3], 1, sameAs()),
  Dropout: operator([1, 3], [1, 2], (c) => [
    { dtype: c.dtype(0), shape: c.shape(0) },
    { dtype: c.opset < 10 ? c.dtype(0) : "bool", shape: c.shape(0) },
  ]),
  CumSum: operator(2, 1, sameAs()),
  Trilu: operator([1, 2], 1, sameAs()),

  Add: operator(2, 1, broadcast(), { sizes: combine(addDims) }),
  Sub: operator(2, 1, broadcast(), { sizes: combine(subtractDims) }),
  Mul: operator(2, 1, broadcast(), { sizes: combine(multiplyDims) }),
  Div: operator(2, 1, broadcast(), { sizes: integersOnly(combine(quotient)) }),
  Mod: operator(2, 1, broadcast(), {
    sizes: (c) => (c.int("fmod", 0) === 0 ? zip(c, modulo) : undefined),
  }),
  Pow: operator(2, 1, broadcast()),
  PRelu: operator(2, 1, sameAs()),
  ...all("BitShift BitwiseAnd BitwiseOr BitwiseXor", operator(2, 1, broadcast())),
  Min: operator([1, many], 1, broadcast(), { sizes: combine(onNumbers(Math.min)) }),
  Max: operator([1, many], 1, broadcast(), { sizes: combine(onNumbers(Math.max)) }),
  ...all("Sum Mean", operator([1, many], 1, broadcast())),

  Equal: operator(2, 1, broadcast("bool"), { sizes: combine(equals) }),
  ...all("And Or Xor", compared),
  Greater: operator(2, 1, broadcast("bool"), { sizes: combine(onNumbers((a, b) => Number(a > b))) }),
  GreaterOrEqual: operator(2, 1, broadcast("bool"), { sizes: combine(onNumbers((a, b) => Number(a >= b))) }),
  Less: operator(2, 1, broadcast("bool"), { sizes: combine(onNumbers((a, b) => Number(a < b))) }),
  LessOrEqual: operator(2, 1, broadcast("bool"), { sizes: combine(onNumbers((a, b) => Number(a <= b))) }),
  Where: operator(
    3,
    1,
    (c) => [
      { dtype: c.dtype(1) ?? c.dtype(2), shape: broadcastShapes([c.shape(0), c.shape(1), c.shape(2)]) },
    ],
    { sizes: where },
  ),
};
