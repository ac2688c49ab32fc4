import { commonDim } from "../inference/dims.js";
import type { InferRule, PartialType, RuleContext } from "../inference/rule.js";
import { many, operator, type OperatorSchema } from "./schema.js";

/** What holds whichever of two values is taken. */
const either = (a: PartialType | undefined, b: PartialType | undefined): PartialType => ({
  dtype: a?.dtype === b?.dtype ? a?.dtype : undefined,
  shape:
    a?.shape === undefined || b?.shape === undefined || a.shape.length !== b.shape.length
      ? undefined
      : a.shape.map((dim, axis) => commonDim(dim, b.shape?.[axis])),
});

const branches: InferRule = (c) => {
  const thenTypes = c.body("then_branch", []);
  const elseTypes = c.body("else_branch", []);
  const decided = c.sizes(0)?.elements[0] ?? decisionOf(c);
  if (decided !== undefined) return (decided === 0 ? elseTypes : thenTypes) ?? [];
  return Array.from({ length: c.outputCount }, (_, index) => either(thenTypes?.[index], elseTypes?.[index]));
};

const decisionOf = (c: RuleContext): number | undefined => {
  const data = c.constant(0)?.data;
  return data?.length === 1 ? Number(data[0]) : undefined;
};

const typeOf = (c: RuleContext, index: number): PartialType => ({
  dtype: c.dtype(index),
  shape: c.shape(index),
});

/** Loop-carried values keep the shape they go in with only where the body hands on the same one. */
const loop: InferRule = (c) => {
  const carried = c.inputCount - 2;
  const fixed: readonly PartialType[] = [
    { dtype: "int64", shape: [] },
    { dtype: "bool", shape: [] },
  ];
  let state = Array.from({ length: carried }, (_, index) => typeOf(c, index + 2));
  let results = c.body("body", [...fixed, ...state]);
  // A second pass with what changed left open gives types that hold in every iteration.
  const settled = state.map((type, index) => either(type, results?.[index + 1]));
  if (!sameTypes(state, settled)) {
    state = settled;
    results = c.body("body", [...fixed, ...state]);
  }
  const last = state.map((type, index) => either(type, results?.[index + 1]));
  const scanned = (results?.slice(1 + carried) ?? []).map(({ dtype, shape }) => ({
    dtype,
    shape: shape && [undefined, ...shape],
  }));
  return [...last, ...scanned];
};

const sameTypes = (a: readonly PartialType[], b: readonly PartialType[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

const scan: InferRule = (c) => {
  const scanInputs = c.int("num_scan_inputs", 0);
  const states = c.inputCount - scanInputs;
  const axes = c.ints("scan_input_axes") ?? [];
  let length: PartialType["shape"];
  const initial = Array.from({ length: states }, (_, index) => typeOf(c, index));
  const sliced = Array.from({ length: scanInputs }, (_, index) => {
    const { dtype, shape } = typeOf(c, states + index);
    const axis = axes[index] ?? 0;
    const position = shape !== undefined && axis < 0 ? axis + shape.length : axis;
    if (shape !== undefined) length ??= [shape[position]];
    return { dtype, shape: shape?.filter((_, other) => other !== position) };
  });
  const results = c.body("body", [...initial, ...sliced]);
  const outputAxes = c.ints("scan_output_axes") ?? [];
  const scanned = (results?.slice(states) ?? []).map(({ dtype, shape }, index) => {
    if (shape === undefined) return { dtype };
    const axis = outputAxes[index] ?? 0;
    return { dtype, shape: shape.toSpliced(axis < 0 ? axis + shape.length + 1 : axis, 0, length?.[0]) };
  });
  return [...initial.map((type, index) => either(type, results?.[index])), ...scanned];
};

/** Operators that run nested graphs. */
export const controlFlow: Readonly<Record<string, OperatorSchema>> = {
  If: operator(1, [1, many], branches),
  Loop: operator([2, many], [1, many], loop),
  Scan: operator([1, many], [1, many], scan),
};
