import { elementCount, type Tensor } from "@nasty/core";
import { floatAttribute, intAttribute } from "@nasty/formats/onnx";
import { productMode } from "../kernels/tile.js";
import type { Heap } from "../memory/heap.js";
import type { BuiltNode, Operator } from "../plan/operator.js";
import type { Planner } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { checked, checkType, constant, input, onlyAttributes } from "./checks.js";
import { columnFloats, packFloats } from "./packing.js";
import { broadcastShape, spreadStrides, walkOffsets } from "./shapes.js";

interface FloatWeights {
  readonly at: number;
  readonly depth: number;
  readonly columns: number;
  readonly scale: number;
  /** Address of the values that are added to the rows; 0 for none. */
  readonly bias: number;
}

/** Rows times packed weights; without depth the sums are empty, and the bias is all there is. */
export const floatStep = (
  planner: Planner,
  { from, rows, to, weights }: { from: number; rows: number; to: number; weights: FloatWeights },
): void => {
  const { at, depth, columns, scale, bias } = weights;
  const { floatProduct } = planner.kernels;
  const { heap } = planner;
  const mode = bias === 0 ? productMode.scaled : productMode.biased;
  planner.step(() => {
    if (depth > 0)
      floatProduct(from, depth * 4, at, depth, rows, columns, to, columns * 4, scale, 0, bias, mode);
    else
      for (let row = 0; row < rows; row++)
        heap.f32.copyWithin(to / 4 + row * columns, bias / 4, bias / 4 + columns);
  });
};

const matrixOf = (
  heap: Heap,
  weight: Tensor,
  transposed = false,
): { at: number; depth: number; columns: number } => {
  const [rows, width] = weight.shape as readonly [number, number];
  const data = weight.data as Float32Array;
  const [depth, columns] = transposed ? [width, rows] : [rows, width];
  const at = packFloats(
    heap,
    depth,
    columns,
    (k, n) => data[transposed ? n * width + k : k * width + n] as number,
  );
  return { at, depth, columns };
};

const byWeight = (open: Parameters<Operator>[0], weight: Tensor): BuiltNode => {
  const weights = { ...matrixOf(open.heap, weight), scale: 1, bias: 0 };
  const zeros = open.heap.reserve(weights.columns * 4);
  return {
    outputs: ["float32"],
    packed: [1],
    plan(planner, [value]) {
      const a = value as Value;
      checkDepth(a.shape, weights.depth);
      const result = planner.result("float32", [...a.shape.slice(0, -1), weights.columns]);
      const rows = elementCount(a.shape.slice(0, -1));
      const bias = weights.depth === 0 ? zeros : 0;
      floatStep(planner, { from: planner.address(a), rows, to: result.at, weights: { ...weights, bias } });
      return [result];
    },
  };
};

const checkDepth = (shape: readonly number[], depth: number): void => {
  if (shape.at(-1) !== depth)
    throw new RangeError(`input 0: last size: expected ${depth}, got [${shape.join(", ")}]`);
};

/** Both operands computed: the right one is packed at each run, matrix by matrix. */
const ofValues: BuiltNode = {
  outputs: ["float32"],
  plan(planner, [left, right]) {
    const [a, b] = [left as Value, right as Value];
    const aShape = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
    const bShape = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
    if (a.shape.length === 0 || b.shape.length === 0)
      throw new RangeError("inputs: rank: expected at least 1, got 0");
    const [rows, depth] = aShape.slice(-2) as [number, number];
    const columns = bShape.at(-1) as number;
    if (bShape.at(-2) !== depth)
      throw new RangeError(
        `inputs: expected matrices that fit, got [${a.shape.join(", ")}] and [${b.shape.join(", ")}]`,
      );
    const [aBatch, bBatch] = [aShape.slice(0, -2), bShape.slice(0, -2)];
    const batch = broadcastShape([aBatch, bBatch]);
    const shape = [
      ...batch,
      ...(a.shape.length === 1 ? [] : [rows]),
      ...(b.shape.length === 1 ? [] : [columns]),
    ];
    const result = planner.result("float32", shape);
    const [aAt, bAt] = [planner.address(a), planner.address(b)];
    const packed = planner.scratch(Math.max(1, depth) * Math.ceil(columns / 8) * 32);
    const [aOffsets, bOffsets] = walkOffsets({
      sizes: batch,
      strides: [spreadStrides(aBatch, batch), spreadStrides(bBatch, batch)],
    }) as [number[], number[]];
    const { floatProduct, packPanels } = planner.kernels;
    const { heap } = planner;
    const [aBytes, bBytes, outBytes] = [rows * depth * 4, depth * columns * 4, rows * columns * 4];
    planner.step(() => {
      if (depth === 0) {
        heap.u8.fill(0, result.at, result.at + elementCount(shape) * 4);
        return;
      }
      let packedOffset = -1;
      for (let i = 0; i < aOffsets.length; i++) {
        const offset = bOffsets[i] as number;
        if (offset !== packedOffset)
          packPanels(bAt + offset * bBytes, depth, columns, columns * 4, 4, packed);
        packedOffset = offset;
        floatProduct(
          aAt + (aOffsets[i] as number) * aBytes,
          depth * 4,
          packed,
          depth,
          rows,
          columns,
          result.at + i * outBytes,
          columns * 4,
          1,
          0,
          0,
          productMode.scaled,
        );
      }
    });
    return [result];
  },
};

const matMul: Operator = (open) => {
  onlyAttributes(open, []);
  checkType(open, 0, ["float32"]);
  checkType(open, 1, ["float32"]);
  input(open, 0);
  const weight = input(open, 1).constant;
  const isPlain = weight?.shape.length === 2 && open.inputs[0]?.constant === undefined;
  return isPlain ? byWeight(open, weight) : ofValues;
};

const gemm: Operator = (open) => {
  onlyAttributes(open, ["alpha", "beta", "transA", "transB"]);
  for (const index of [0, 1, 2]) checkType(open, index, ["float32"]);
  input(open, 0);
  const { node } = open;
  checked(intAttribute(node, "transA", 0) === 0, "attribute transA: expected 0");
  const scale = floatAttribute(node, "alpha", 1);
  const weight = constant(open, 1);
  checked(weight?.shape.length === 2, "input 1: expected a matrix of weights");
  const weights = matrixOf(open.heap, weight as Tensor, intAttribute(node, "transB", 0) === 1);
  const bias = constant(open, 2);
  checked(
    bias === undefined ||
      (floatAttribute(node, "beta", 1) === 1 && bias.shape.slice(0, -1).every((size) => size === 1)),
    "input 2: expected one bias a column, with beta 1",
  );
  const offset =
    bias === undefined
      ? weights.depth === 0
        ? open.heap.reserve(weights.columns * 4)
        : 0
      : columnFloats(open.heap, bias, weights.columns);
  return {
    outputs: ["float32"],
    packed: [1, 2],
    plan(planner, [value]) {
      const a = value as Value;
      checkDepth(a.shape, weights.depth);
      const rows = a.shape[0] as number;
      const result = planner.result("float32", [rows, weights.columns]);
      const all = { ...weights, scale, bias: offset };
      floatStep(planner, { from: planner.address(a), rows, to: result.at, weights: all });
      return [result];
    },
  };
};

export const floatProductOperators: Readonly<Record<string, Operator>> = { MatMul: matMul, Gemm: gemm };
