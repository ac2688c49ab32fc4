import { cast, type DType, elementCount, roundHalfEven, type Tensor } from "@nasty/core";
import { intAttribute, stringAttribute } from "@nasty/formats/onnx";
import type { BinaryKernel, UnaryKernel } from "../kernels/module.js";
import type { BuiltNode, OpenNode, Operator } from "../plan/operator.js";
import { type Planner, sizeOf } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { broadcastResult, overElements, plainTypes } from "./broadcast-host.js";
import { checked, checkType, constant, input, onlyAttributes, onlyOutputs, typeNamed } from "./checks.js";
import { onHost } from "./on-host.js";
import { broadcastShape, joinedAxes, spreadStrides, walkOffsets } from "./shapes.js";

/** A loop over all elements of a float32 value. */
export const unaryStep = (planner: Planner, kernel: UnaryKernel, x: Value): Value => {
  const result = planner.result("float32", x.shape);
  const [from, count] = [planner.address(x), sizeOf(x)];
  const run = planner.kernels[kernel];
  planner.step(() => run(from, count, result.at));
  return result;
};

/** Two float32 operands that broadcast: rows of the last axes by the kernel, the axes before them by a loop here. */
export const binaryStep = (planner: Planner, kernel: BinaryKernel, a: Value, b: Value): Value => {
  const shape = broadcastShape([a.shape, b.shape]);
  const result = planner.result("float32", shape);
  const [aAt, bAt] = [planner.address(a), planner.address(b)];
  if (elementCount(shape) === 0) return result;
  const walk = joinedAxes({ sizes: shape, strides: [a, b].map((one) => spreadStrides(one.shape, shape)) });
  const sizes = walk.sizes;
  const [aStrides, bStrides] = walk.strides as [number[], number[]];
  const columns = sizes.pop() ?? 1;
  const [aColumn, bColumn] = [(aStrides.pop() ?? 0) * 4, (bStrides.pop() ?? 0) * 4];
  const rows = sizes.pop() ?? 1;
  const [aRow, bRow] = [(aStrides.pop() ?? 0) * 4, (bStrides.pop() ?? 0) * 4];
  const [aOffsets, bOffsets] = walkOffsets({ sizes, strides: [aStrides, bStrides] }) as [number[], number[]];
  const run = planner.kernels[kernel];
  const planeBytes = rows * columns * 4;
  planner.step(() => {
    for (let i = 0; i < aOffsets.length; i++)
      run(
        aAt + (aOffsets[i] as number) * 4,
        bAt + (bOffsets[i] as number) * 4,
        result.at + i * planeBytes,
        rows,
        columns,
        aRow,
        aColumn,
        bRow,
        bColumn,
      );
  });
  return result;
};

interface Arithmetic {
  readonly real: (a: number, b: number) => number;
  readonly whole: (a: bigint, b: bigint) => bigint;
  readonly kernel: BinaryKernel;
}

const arithmetic: Readonly<Record<string, Arithmetic>> = {
  Add: { real: (a, b) => a + b, whole: (a, b) => a + b, kernel: "add" },
  Sub: { real: (a, b) => a - b, whole: (a, b) => a - b, kernel: "sub" },
  Mul: { real: (a, b) => a * b, whole: (a, b) => a * b, kernel: "mul" },
  Div: {
    real: (a, b) => a / b,
    whole(a, b) {
      if (b === 0n) throw new RangeError("division: expected another divisor, got 0");
      return a / b;
    },
    kernel: "div",
  },
  Min: { real: Math.min, whole: (a, b) => (b < a ? b : a), kernel: "min" },
  Max: { real: Math.max, whole: (a, b) => (b > a ? b : a), kernel: "max" },
};

/** The operation on the elements of a type; integers wrap in the storage of the result. */
const onElements = (dtype: DType, { real, whole }: Arithmetic) => {
  if (dtype === "float32" || dtype === "float64")
    return (a: number | bigint, b: number | bigint) => real(a as number, b as number);
  if (dtype === "int64" || dtype === "uint64")
    return (a: number | bigint, b: number | bigint) => whole(a as bigint, b as bigint);
  return (a: number | bigint, b: number | bigint) => Number(BigInt.asIntN(32, whole(BigInt(a), BigInt(b))));
};

const binary = (rule: Arithmetic, open: OpenNode): BuiltNode => {
  onlyAttributes(open, []);
  const { dtype } = input(open, 0);
  checked(open.inputs.length === 2 && open.inputs[1] !== undefined, "inputs: expected two");
  checkType(open, 0, plainTypes);
  checked(dtype !== "bool", "input 0: type: expected numbers, got bool");
  checkType(open, 1, [dtype]);
  const inJavaScript = onHost([dtype], overElements(dtype, onElements(dtype, rule)), broadcastResult);
  if (dtype !== "float32") return inJavaScript;
  return {
    ...inJavaScript,
    plan: (planner, [a, b]) => [binaryStep(planner, rule.kernel, a as Value, b as Value)],
  };
};

const comparisons: Readonly<Record<string, (a: number | bigint, b: number | bigint) => boolean>> = {
  Equal: (a, b) => a === b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
};

const logic: Readonly<Record<string, (a: number | bigint, b: number | bigint) => boolean>> = {
  And: (a, b) => a !== 0 && b !== 0,
  Or: (a, b) => a !== 0 || b !== 0,
  Xor: (a, b) => (a !== 0) !== (b !== 0),
};

const compared =
  (holds: (a: number | bigint, b: number | bigint) => boolean, types: readonly DType[]): Operator =>
  (open) => {
    onlyAttributes(open, []);
    checkType(open, 0, types);
    checkType(open, 1, [input(open, 0).dtype]);
    return onHost(["bool"], overElements("bool", holds as never), broadcastResult);
  };

const not: Operator = (open) => {
  checkType(open, 0, ["bool"]);
  return onHost(
    ["bool"],
    overElements("bool", (x) => x === 0),
    broadcastResult,
  );
};

const where: Operator = (open) => {
  onlyAttributes(open, []);
  const { dtype } = input(open, 1);
  checkType(open, 0, ["bool"]);
  checkType(open, 1, plainTypes);
  checkType(open, 2, [dtype]);
  return onHost(
    [dtype],
    overElements(dtype, (c, a, b) => (c === 0 ? b : a) as number),
    broadcastResult,
  );
};

/** Exact functions, which known values may go through in JavaScript too. */
const exact: Readonly<
  Record<string, { kernel?: UnaryKernel; real: (x: number) => number; whole?: (x: bigint) => bigint }>
> = {
  Neg: { kernel: "neg", real: (x) => -x, whole: (x) => -x },
  Abs: { kernel: "abs", real: Math.abs, whole: (x) => (x < 0n ? -x : x) },
  Sqrt: { kernel: "sqrt", real: Math.sqrt },
  Reciprocal: { kernel: "reciprocal", real: (x) => 1 / x },
  Relu: { kernel: "relu", real: (x) => Math.max(x, 0) },
  Floor: { real: Math.floor },
  Ceil: { real: Math.ceil },
  Round: { real: roundHalfEven },
};

/** Functions that only the kernels compute, so that there is one result. */
const approximated: Readonly<Record<string, UnaryKernel>> = {
  Exp: "exp",
  Erf: "erf",
  Tanh: "tanh",
  Sigmoid: "sigmoid",
};

const unaryNode = (open: OpenNode, kernel: UnaryKernel, attributes: readonly string[] = []): BuiltNode => {
  onlyAttributes(open, attributes);
  checkType(open, 0, ["float32"]);
  input(open, 0);
  return {
    outputs: ["float32"],
    plan: (planner, [x]) => [unaryStep(planner, kernel, x as Value)],
  };
};

const exactNode = (name: string, open: OpenNode): BuiltNode => {
  onlyAttributes(open, []);
  const { kernel, real, whole } = exact[name] as (typeof exact)[string];
  const { dtype } = input(open, 0);
  checkType(open, 0, whole === undefined ? ["float32", "float64"] : ["float32", "float64", "int32", "int64"]);
  const host = overElements(dtype, (x) =>
    typeof x === "bigint" ? (whole as (x: bigint) => bigint)(x) : real(x),
  );
  const inJavaScript = onHost([dtype], host, broadcastResult);
  if (dtype !== "float32" || kernel === undefined) return inJavaScript;
  return { ...inJavaScript, plan: (planner, [x]) => [unaryStep(planner, kernel, x as Value)] };
};

const gelu: Operator = (open) => {
  const approximate = stringAttribute(open.node, "approximate", "none");
  checked(
    approximate === "none" || approximate === "tanh",
    `attribute approximate: expected none or tanh, got ${approximate}`,
  );
  return unaryNode(open, approximate === "tanh" ? "geluByTanh" : "gelu", ["approximate"]);
};

/** Powers that are products or roots: what normalizations write. */
const power: Operator = (open) => {
  onlyAttributes(open, []);
  checkType(open, 0, ["float32"]);
  const exponent = constant(open, 1);
  checked(
    exponent !== undefined && elementCount(exponent.shape) === 1,
    "input 1: expected one exponent for all elements",
  );
  const value = Number((exponent as Tensor).data[0]);
  const kernel = ({ 2: "square", 0.5: "sqrt" } as Readonly<Record<number, UnaryKernel>>)[value];
  checked(kernel !== undefined, `input 1: exponent: expected 2 or 0.5, got ${value}`);
  return {
    outputs: ["float32"],
    plan: (planner, [x]) => [unaryStep(planner, kernel as UnaryKernel, x as Value)],
  };
};

const clip: Operator = (open) => {
  onlyAttributes(open, []);
  checkType(open, 0, ["float32"]);
  const limits = [1, 2].map((index) => constant(open, index));
  return {
    outputs: ["float32"],
    plan(planner, [x, low, high]) {
      const floored =
        limits[0] === undefined ? (x as Value) : binaryStep(planner, "max", x as Value, low as Value);
      const done = limits[1] === undefined ? floored : binaryStep(planner, "min", floored, high as Value);
      if (floored !== done && floored !== x) planner.finishedWithNode(floored);
      return [done === x ? planner.reshaped(done, done.shape) : done];
    },
  };
};

const floatOf: Readonly<Partial<Record<DType, "floatOfInt8" | "floatOfUint8" | "floatOfInt32">>> = {
  int8: "floatOfInt8",
  uint8: "floatOfUint8",
  bool: "floatOfUint8",
  int32: "floatOfInt32",
};

const castTo: Operator = (open) => {
  onlyAttributes(open, ["to", "saturate"]);
  onlyOutputs(open, 1);
  const to = typeNamed(intAttribute(open.node, "to", 0), "to");
  const { dtype } = input(open, 0);
  const inJavaScript = onHost(
    [to],
    ([x]) => [cast(x as Tensor, to)],
    ([x]) => [(x as Value).shape],
  );
  if (to === dtype)
    return {
      ...inJavaScript,
      host: ([x]) => [x as Tensor],
      plan: (planner, [x]) => [planner.reshaped(x as Value, (x as Value).shape)],
    };
  const kernel = to === "float32" ? floatOf[dtype] : undefined;
  if (kernel === undefined) return inJavaScript;
  return {
    ...inJavaScript,
    plan(planner, [x]) {
      const result = planner.result("float32", (x as Value).shape);
      const [from, count] = [planner.address(x as Value), sizeOf(x as Value)];
      const run = planner.kernels[kernel];
      planner.step(() => run(from, count, result.at));
      return [result];
    },
  };
};

export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(
    Object.entries(arithmetic).map(([name, rule]) => [name, (open: OpenNode) => binary(rule, open)]),
  ),
  ...Object.fromEntries(
    Object.entries(comparisons).map(([name, holds]) => [name, compared(holds, plainTypes)]),
  ),
  ...Object.fromEntries(Object.entries(logic).map(([name, holds]) => [name, compared(holds, ["bool"])])),
  ...Object.fromEntries(Object.keys(exact).map((name) => [name, (open: OpenNode) => exactNode(name, open)])),
  ...Object.fromEntries(
    Object.entries(approximated).map(([name, kernel]) => [name, (open: OpenNode) => unaryNode(open, kernel)]),
  ),
  Not: not,
  Where: where,
  Gelu: gelu,
  Pow: power,
  Clip: clip,
  Cast: castTo,
};
