import { dtypeOf, intAttribute } from "@nasty/formats/onnx";
import { tfTypeOf } from "../values.js";
import type { TensorFlow, TfTensor } from "../tensorflow.js";
import { type Operator, type OperatorContext, type Save, untaped } from "./context.js";

type Unary = (tf: TensorFlow, x: TfTensor) => TfTensor;
type Binary = (tf: TensorFlow, a: TfTensor, b: TfTensor) => TfTensor;

const unary =
  (f: Unary): Operator =>
  (c) =>
    f(c.tf, c.input(0));
const binary =
  (f: Binary): Operator =>
  (c) =>
    f(c.tf, c.input(0), c.input(1));

/** Integers divide towards zero, TensorFlow's towards minus infinity. */
const div: Binary = (tf, a, b) => {
  if (a.dtype !== "int32") return tf.div(a, b);
  const magnitude = tf.floorDiv(tf.abs(a), tf.abs(b));
  return tf.mul(magnitude, tf.cast(tf.mul(tf.sign(a), tf.sign(b)), "int32"));
};

/** x·sign(x): its gradient is 0 at 0, which that of `tf.abs` is not. */
const abs: Unary = (tf, x) =>
  tf.mul(
    x,
    untaped(tf, () => tf.sign(x)),
  );

/** Adds up any number of operands. */
const sum: Operator = (c) => c.inputs().reduce((total, next) => c.tf.add(total, next));

/** Operands that tie share the gradient equally; TensorFlow gives each all of it, or all of it to the first. */
export function sharedAmongTies(tf: TensorFlow, y: TfTensor, winners: TfTensor): TfTensor {
  return tf.customGrad((...args) => {
    const [value, save] = args as [TfTensor, Save];
    save([winners]);
    return {
      value: value.clone(),
      gradFunc: (dy: TfTensor, saved: TfTensor[]) => tf.div(dy, saved[0] as TfTensor),
    };
  })(y);
}

/** The largest (smallest) operand, by a reduction over the stack of all. */
const extremum =
  (reduce: "max" | "min"): Operator =>
  (c) => {
    const { tf } = c;
    if (c.inputs().length === 1) return c.input(0).clone();
    if (c.input(0).dtype === "int32")
      return c.inputs().reduce((a, b) => (reduce === "max" ? tf.maximum(a, b) : tf.minimum(a, b)));
    const stack = tf.stack(broadcastTogether(c, c.inputs()) as TfTensor[], 0);
    const y = tf[reduce](stack, 0);
    const winners = untaped(tf, () => tf.sum(tf.cast(tf.equal(stack, y), "float32"), 0));
    return sharedAmongTies(tf, y, winners);
  };

/** The shape that operands have together. */
export function broadcastShape(
  c: Pick<OperatorContext, "refuse">,
  shapes: readonly (readonly number[])[],
): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    let size = 1;
    for (const shape of shapes) {
      const own = shape[shape.length - rank + i] ?? 1;
      if (own === 1 || own === size) continue;
      if (size !== 1) c.refuse("shapes", "ones that broadcast", shapes.map((s) => `[${s}]`).join(" and "));
      size = own;
    }
    return size;
  });
}

function broadcastTogether(c: OperatorContext, values: readonly TfTensor[]): readonly TfTensor[] {
  const shape = broadcastShape(
    c,
    values.map((value) => value.shape),
  );
  return values.map((value) => broadcastTo(c.tf, value, shape));
}

/** Spread over a shape, by an addition of zeros: `tf.broadcastTo` takes forty times as long on WebAssembly. */
export function broadcastTo(tf: TensorFlow, value: TfTensor, shape: readonly number[]): TfTensor {
  const same = value.shape.length === shape.length && value.shape.every((size, i) => size === shape[i]);
  if (same) return value;
  if (value.dtype !== "bool") return tf.add(value, tf.zeros([...shape], value.dtype as "float32" | "int32"));
  const zeros = tf.zeros([...shape]);
  return tf.notEqual(tf.add(tf.cast(value, "float32"), zeros), zeros);
}

const where: Operator = (c) => {
  const [condition, a, b] = broadcastTogether(c, c.inputs()) as [TfTensor, TfTensor, TfTensor];
  return c.tf.where(condition, a, b);
};

const clip: Operator = (c) => {
  const { tf } = c;
  const x = c.input(0);
  const [low, high] = [c.optional(1), c.optional(2)];
  if (x.dtype === "int32") {
    const raised = low === undefined ? x : tf.maximum(x, low);
    return high === undefined ? raised : tf.minimum(raised, high);
  }
  const bound = (value: TfTensor | undefined, without: number): number => value?.dataSync()[0] ?? without;
  return tf.clipByValue(x, bound(low, -Infinity), bound(high, Infinity));
};

const cast: Operator = (c) => {
  const { tf } = c;
  const x = c.input(0);
  const target = dtypeOf(intAttribute(c.node, "to", 1));
  if (target === undefined)
    return c.refuse("target type", "a number type", String(intAttribute(c.node, "to", 1)));
  const type = tfTypeOf(target);
  if (type === "bool") return tf.notEqual(x, tf.zerosLike(x));
  // Integers that are kept as float32 lose their fraction all the same.
  if (type === "float32" && !target.includes("float") && x.dtype === "float32")
    return tf.cast(tf.cast(x, "int32"), "float32");
  return tf.cast(x, type);
};

const comparison = (f: "equal" | "greater" | "greaterEqual" | "less" | "lessEqual"): Operator =>
  binary((tf, a, b) =>
    // Some backends compare truth values as nothing but truth values.
    a.dtype === "bool" ? tf[f](tf.cast(a, "int32"), tf.cast(b, "int32")) : tf[f](a, b),
  );

export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  Add: binary((tf, a, b) => tf.add(a, b)),
  Sub: binary((tf, a, b) => tf.sub(a, b)),
  Mul: binary((tf, a, b) => tf.mul(a, b)),
  Div: binary(div),
  Pow: binary((tf, a, b) => tf.pow(a, b)),
  Sum: sum,
  Max: extremum("max"),
  Min: extremum("min"),
  Where: where,
  Clip: clip,
  Cast: cast,
  Identity: unary((_, x) => x),
  Neg: unary((tf, x) => tf.neg(x)),
  Abs: unary(abs),
  Exp: unary((tf, x) => tf.exp(x)),
  Log: unary((tf, x) => tf.log(x)),
  Sqrt: unary((tf, x) => tf.sqrt(x)),
  Reciprocal: unary((tf, x) => tf.reciprocal(x)),
  Erf: unary((tf, x) => tf.erf(x)),
  Sin: unary((tf, x) => tf.sin(x)),
  Cos: unary((tf, x) => tf.cos(x)),
  Floor: unary((tf, x) => tf.floor(x)),
  Ceil: unary((tf, x) => tf.ceil(x)),
  Round: unary((tf, x) => tf.round(x)),
  Sign: unary((tf, x) => tf.sign(x)),
  IsNaN: unary((tf, x) => tf.isNaN(x)),
  IsInf: unary((tf, x) => tf.isInf(x)),
  Not: unary((tf, x) => tf.logicalNot(x)),
  And: binary((tf, a, b) => tf.logicalAnd(a, b)),
  Or: binary((tf, a, b) => tf.logicalOr(a, b)),
  Xor: binary((tf, a, b) => tf.logicalXor(a, b)),
  Equal: comparison("equal"),
  Greater: comparison("greater"),
  GreaterOrEqual: comparison("greaterEqual"),
  Less: comparison("less"),
  LessOrEqual: comparison("lessEqual"),
  Mod: binary((tf, a, b) => tf.mod(a, b)),
};
