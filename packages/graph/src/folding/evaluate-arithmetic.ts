import { dataConstructor, elementCount, type Tensor, type TensorData } from "@nasty/core";
import { broadcastShapes } from "../inference/dims.js";
import type { Evaluator } from "./evaluator.js";
import { spread } from "./evaluate-layout.js";

interface Arithmetic {
  /** On float32 and float64; float32 results are rounded once, which is exact for + − × ÷ √ computed in float64. */
  readonly real: (a: number, b: number) => number;
  /** On int64, before wrapping to 64 bits; undefined where the operation is not defined (division by zero). */
  readonly integer: (a: bigint, b: bigint) => bigint | undefined;
}

const operators: Readonly<Record<string, Arithmetic>> = {
  Add: { real: (a, b) => a + b, integer: (a, b) => a + b },
  Sub: { real: (a, b) => a - b, integer: (a, b) => a - b },
  Mul: { real: (a, b) => a * b, integer: (a, b) => a * b },
  Div: { real: (a, b) => a / b, integer: (a, b) => (b === 0n ? undefined : a / b) },
};

const comparisons: Readonly<Record<string, (a: number | bigint, b: number | bigint) => boolean>> = {
  Equal: (a, b) => a === b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
};

/** Both operands at the shape they broadcast to, if they are of one type. */
const aligned = (a: Tensor | undefined, b: Tensor | undefined): readonly [Tensor, Tensor] | undefined => {
  if (a === undefined || b === undefined || a.dtype !== b.dtype) return undefined;
  const shape = broadcastShapes([a.shape, b.shape]);
  if (shape?.every((dim) => typeof dim === "number") !== true) return undefined;
  return [spread(a, shape as readonly number[]), spread(b, shape as readonly number[])];
};

const arithmetic =
  ({ real, integer }: Arithmetic): Evaluator =>
  ([left, right]) => {
    const pair = aligned(left, right);
    if (pair === undefined) return undefined;
    const [a, b] = pair;
    const { dtype, shape } = a;
    const count = elementCount(shape);
    if (dtype === "float32" || dtype === "float64") {
      const data = new (dataConstructor(dtype))(count) as Float32Array | Float64Array;
      for (let i = 0; i < count; i++) data[i] = real(Number(a.data[i]), Number(b.data[i]));
      return { dtype, shape, data };
    }
    if (dtype !== "int64" && dtype !== "int32") return undefined;
    const data = new (dataConstructor(dtype))(count) as BigInt64Array | Int32Array;
    for (let i = 0; i < count; i++) {
      const result = integer(BigInt(a.data[i] as number | bigint), BigInt(b.data[i] as number | bigint));
      if (result === undefined) return undefined;
      // Typed arrays of bigints wrap by themselves; numbers lose their high bits before they are cut.
      if (data instanceof BigInt64Array) data[i] = result;
      else data[i] = Number(BigInt.asIntN(32, result));
    }
    return { dtype, shape, data };
  };

const comparison =
  (holds: (a: number | bigint, b: number | bigint) => boolean): Evaluator =>
  ([left, right]) => {
    const pair = aligned(left, right);
    if (pair === undefined || !comparable.has(pair[0].dtype)) return undefined;
    const [a, b] = pair;
    const data = new Uint8Array(elementCount(a.shape));
    for (let i = 0; i < data.length; i++) data[i] = Number(holds(a.data[i] as number, b.data[i] as number));
    return { dtype: "bool", shape: a.shape, data };
  };

/** Types whose storage compares as their values do: not float16 bits, not packed nibbles. */
const comparable = new Set(["float32", "float64", "int64", "int32", "bool", "uint8", "int8"]);

const unary =
  (real: (x: number) => number, integer?: (x: bigint) => bigint): Evaluator =>
  ([x]) => {
    if (x === undefined) return undefined;
    const { dtype, shape } = x;
    if (dtype === "float32" || dtype === "float64") {
      const from = x.data as Float32Array | Float64Array;
      return { dtype, shape, data: from.map(real) as TensorData };
    }
    if (dtype !== "int64" || integer === undefined) return undefined;
    return { dtype, shape, data: (x.data as BigInt64Array).map(integer) };
  };

const where: Evaluator = ([condition, yes, no]) => {
  if (condition === undefined || yes === undefined || no === undefined || yes.dtype !== no.dtype)
    return undefined;
  if (yes.dtype === "int4" || yes.dtype === "uint4") return undefined;
  const shape = broadcastShapes([condition.shape, yes.shape, no.shape]);
  if (shape?.every((dim) => typeof dim === "number") !== true) return undefined;
  const [c, a, b] = [condition, yes, no].map((one) => spread(one, shape as readonly number[])) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const data = a.data.slice();
  for (let i = 0; i < data.length; i++) if (c.data[i] === 0) data[i] = b.data[i] as never;
  return { dtype: yes.dtype, shape: a.shape, data };
};

/** Operators that compute element by element. */
export const arithmeticEvaluators: Readonly<Record<string, Evaluator>> = {
  ...Object.fromEntries(Object.entries(operators).map(([name, rule]) => [name, arithmetic(rule)])),
  ...Object.fromEntries(Object.entries(comparisons).map(([name, rule]) => [name, comparison(rule)])),
  Neg: unary(
    (x) => -x,
    (x) => -x,
  ),
  Abs: unary(Math.abs, (x) => (x < 0n ? -x : x)),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Where: where,
};
