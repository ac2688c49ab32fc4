import { elementCount, tensor } from "@nasty/core";
import { floatAttribute, intAttribute } from "@nasty/formats/onnx";
import type { FoldName } from "../kernels/module.js";
import type { Operator } from "../plan/operator.js";
import { type Planner, sizeOf } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import {
  axisOf,
  checked,
  checkType,
  constant,
  input,
  onlyAttributes,
  onlyOutputs,
  weightOf,
} from "./checks.js";
import { moveInMemory } from "./copies.js";
import { binaryStep } from "./elementwise.js";
import { foldedAxesOf } from "./folded-axes.js";
import { integerReduction } from "./integer-reductions.js";
import { stridesOf } from "./shapes.js";

/** A float32 value with its axes in another order, by a copy where the order is another. */
export const permuted = (planner: Planner, x: Value, perm: readonly number[]): Value => {
  if (perm.every((axis, k) => axis === k)) return planner.reshaped(x, x.shape);
  const sizes = perm.map((axis) => x.shape[axis] as number);
  const strides = stridesOf(x.shape);
  const result = planner.result(x.dtype, sizes);
  const piece = {
    input: 0,
    output: 0,
    sizes,
    fromOffset: 0,
    fromStrides: perm.map((axis) => strides[axis] as number),
    toOffset: 0,
    toStrides: stridesOf(sizes),
  };
  moveInMemory(planner, planner.address(x), result.at, { piece, size: 4 });
  return result;
};

/** Folds axes that lie beside each other: rows where they are the last ones, planes where others follow. */
const foldBeside = (
  planner: Planner,
  fold: FoldName,
  x: Value,
  span: { first: number; count: number },
): Value => {
  const kept = [...x.shape];
  const folded = elementCount(kept.splice(span.first, span.count));
  const outer = elementCount(x.shape.slice(0, span.first));
  const inner = elementCount(x.shape.slice(span.first + span.count));
  const result = planner.result("float32", kept);
  const from = planner.address(x);
  if (inner === 1) {
    const run = planner.kernels[`${fold}Rows`];
    planner.step(() => run(from, outer, folded, result.at));
  } else {
    const run = planner.kernels[`${fold}Planes`];
    planner.step(() => run(from, outer, folded, inner, result.at));
  }
  return result;
};

const reduction =
  (fold: FoldName, isMean: boolean): Operator =>
  (open) => {
    const foldedOf = foldedAxesOf(open);
    const { dtype } = input(open, 0);
    if (!isMean && (dtype === "int32" || dtype === "int64")) return integerReduction(fold, dtype, foldedOf);
    checkType(open, 0, isMean ? ["float32"] : ["float32", "int32", "int64"]);
    return {
      outputs: ["float32"],
      plan(planner, [given, named]) {
        const x = given as Value;
        const { axes, shape } = foldedOf(x.shape, named?.known);
        if (axes.length === 0) return [planner.reshaped(x, shape)];
        const isFolded = (axis: number): boolean => axes.includes(axis);
        const first = Math.min(...axes);
        const isBeside = Math.max(...axes) - first + 1 === axes.length;
        const kept = x.shape.flatMap((_, axis) => (isFolded(axis) ? [] : [axis]));
        const folded = x.shape.flatMap((_, axis) => (isFolded(axis) ? [axis] : []));
        const ordered = isBeside ? x : permuted(planner, x, [...kept, ...folded]);
        if (ordered !== x) planner.finishedWithNode(ordered);
        const sum = foldBeside(planner, fold, ordered, {
          first: isBeside ? first : kept.length,
          count: folded.length,
        });
        if (!isMean) return [{ ...sum, shape }];
        planner.finishedWithNode(sum);
        const count = folded.reduce((product, axis) => product * (x.shape[axis] as number), 1);
        const divisor = tensor("float32", [], Float32Array.of(count));
        const mean = binaryStep(planner, "div", sum, { dtype: "float32", shape: [], known: divisor });
        return [{ ...mean, shape }];
      },
    };
  };

/** Applies a kernel of rows along an axis, which is brought to the end for it. */
const softmax: Operator = (open) => {
  onlyAttributes(open, ["axis"]);
  checkType(open, 0, ["float32"]);
  input(open, 0);
  checked(
    open.version >= 13,
    `operator set: expected 13 or later, where one axis is meant, got ${open.version}`,
  );
  const given = intAttribute(open.node, "axis", -1);
  return {
    outputs: ["float32"],
    plan(planner, [value]) {
      const x = value as Value;
      const rank = x.shape.length;
      if (rank === 0) throw new RangeError("input 0: rank: expected at least 1, got 0");
      const axis = axisOf(given, rank);
      const order = x.shape.map((_, k) => k).filter((k) => k !== axis);
      const perm = [...order, axis];
      const isLast = axis === rank - 1;
      const ordered = isLast ? x : permuted(planner, x, perm);
      const result = planner.result("float32", ordered.shape);
      const [from, columns] = [planner.address(ordered), x.shape[axis] as number];
      const rows = columns === 0 ? 0 : sizeOf(x) / columns;
      const { softmax: run } = planner.kernels;
      planner.step(() => run(from, rows, columns, result.at));
      if (isLast) return [result];
      planner.finishedWithNode(ordered);
      planner.finishedWithNode(result);
      return [
        permuted(
          planner,
          result,
          x.shape.map((_, k) => perm.indexOf(k)),
        ),
      ];
    },
  };
};

const layerNormalization: Operator = (open) => {
  onlyAttributes(open, ["axis", "epsilon", "stash_type"]);
  onlyOutputs(open, 1);
  checkType(open, 0, ["float32"]);
  input(open, 0);
  const [scale, bias] = [weightOf(open, 1), constant(open, 2)];
  checkType(open, 1, ["float32"]);
  checkType(open, 2, ["float32"]);
  const epsilon = floatAttribute(open.node, "epsilon", 1e-5);
  const given = intAttribute(open.node, "axis", -1);
  const size = elementCount(scale.shape);
  const zeros = open.heap.reserve(size * 4);
  return {
    outputs: ["float32"],
    plan(planner, [value, factor, offset]) {
      const x = value as Value;
      const axis = axisOf(given, x.shape.length);
      const columns = elementCount(x.shape.slice(axis));
      for (const one of [scale, bias])
        if (one !== undefined && elementCount(one.shape) !== columns)
          throw new RangeError(
            `scale and bias: expected ${columns} elements, got ${elementCount(one.shape)}`,
          );
      const result = planner.result("float32", x.shape);
      const rows = columns === 0 ? 0 : sizeOf(x) / columns;
      const [from, scales] = [planner.address(x), planner.address(factor as Value)];
      const offsets = offset === undefined ? zeros : planner.address(offset);
      const { layerNorm } = planner.kernels;
      planner.step(() => layerNorm(from, rows, columns, scales, offsets, epsilon, result.at));
      return [result];
    },
  };
};

export const reductionOperators: Readonly<Record<string, Operator>> = {
  ReduceSum: reduction("sum", false),
  ReduceMean: reduction("sum", true),
  ReduceMax: reduction("max", false),
  ReduceMin: reduction("min", false),
  Softmax: softmax,
  LayerNormalization: layerNormalization,
};
