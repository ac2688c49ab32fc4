import { bitsOf, elementCount, type Tensor } from "@nasty/core";
import { intAttribute } from "@nasty/formats/onnx";
import type { OpenNode, Operator } from "../plan/operator.js";
import { type Planner, sizeOf } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { axisOf, checked, checkType, constant, input, onlyAttributes, weightOf } from "./checks.js";
import { binaryStep } from "./elementwise.js";
import { floatStep } from "./float-products.js";
import { columnFloats, type IntegerWeights, packFloats, packIntegers } from "./packing.js";

type Bits = 4 | 8;

/** Numbers of 4 or 8 bits, the lower half of a byte first. */
const unpacked = (bytes: Uint8Array, bits: Bits, index: number): number =>
  bits === 8 ? (bytes[index] as number) : ((bytes[index >> 1] as number) >> ((index & 1) << 2)) & 15;

interface BlockWeights {
  readonly depth: number;
  readonly columns: number;
  readonly block: number;
  readonly blocks: number;
  /** The integer of row k and column n less its zero point. */
  at(k: number, n: number): number;
  scale(block: number, n: number): number;
}

const bitsAttribute = (open: OpenNode, fallback: Bits): Bits => {
  const bits = intAttribute(open.node, "bits", fallback);
  checked(bits === 4 || bits === 8, `attribute bits: expected 4 or 8, got ${bits}`);
  return bits as Bits;
};

const blockWeights = (open: OpenNode): BlockWeights => {
  const { node } = open;
  const [depth, columns] = [intAttribute(node, "K", 0), intAttribute(node, "N", 0)];
  const block = intAttribute(node, "block_size", 0);
  checked(
    block >= 16 && depth > 0 && columns > 0,
    "attributes K, N, block_size: expected at least 1, 1 and 16",
  );
  const bits = bitsAttribute(open, 4);
  const blocks = Math.ceil(depth / block);
  const [weight, scales, zeros] = [weightOf(open, 1), weightOf(open, 2), constant(open, 3)] as [
    Tensor<"uint8">,
    Tensor<"float32">,
    Tensor<"uint8"> | undefined,
  ];
  const blockBytes = (block * bits) / 8;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  for (const [name, found, expected] of [
    ["weight", weight.data.length, columns * blocks * blockBytes],
    ["scales", scales.data.length, columns * blocks],
    ["zero points", zeros?.data.length ?? columns * zeroBytes, columns * zeroBytes],
  ] as const)
    checked(found === expected, `${name}: expected ${expected} elements, got ${found}`);
  const perBlock = block;
  const zero = (b: number, n: number): number =>
    zeros === undefined ? 2 ** (bits - 1) : unpacked(zeros.data, bits, (n * zeroBytes * 8) / bits + b);
  return {
    depth,
    columns,
    block,
    blocks,
    at(k, n) {
      const b = Math.floor(k / perBlock);
      return unpacked(weight.data, bits, (n * blocks + b) * perBlock + (k % perBlock)) - zero(b, n);
    },
    scale: (b, n) => scales.data[n * blocks + b] as number,
  };
};

interface PackedBlock extends IntegerWeights {
  readonly scales: number;
}

/** Each block of the depth as a matrix of its own, with the scales of its columns. */
const packBlocks = (open: OpenNode, weights: BlockWeights): readonly PackedBlock[] => {
  const { depth, columns, block, blocks, at, scale } = weights;
  return Array.from({ length: blocks }, (_, b) => {
    const data = new Int16Array(block * columns);
    const rows = Math.min(block, depth - b * block);
    for (let k = 0; k < rows; k++)
      for (let n = 0; n < columns; n++) data[k * columns + n] = at(b * block + k, n);
    const own = packIntegers(open.heap, {
      depth: block,
      columns,
      data,
      stride: columns,
      start: 0,
      places: Int32Array.from({ length: columns }, (_, n) => n),
      zeros: new Int32Array(columns),
    });
    const scales = Float32Array.from({ length: columns }, (_, n) => scale(b, n));
    const values = { dtype: "float32", shape: [columns], data: scales } as const;
    return { ...own, scales: columnFloats(open.heap, values, columns) };
  });
};

/** Rows quantized block by block to 8 bits: integer sums of a block are scaled and added to the result. */
const blockSteps = (
  planner: Planner,
  x: Value,
  {
    to,
    rows,
    weights,
    packed,
  }: { to: number; rows: number; weights: BlockWeights; packed: readonly PackedBlock[] },
): void => {
  const { depth, columns, block, blocks } = weights;
  const quantized = planner.scratch(rows * blocks * block * 2);
  const scales = planner.scratch(rows * blocks * 4);
  const from = planner.address(x);
  const { centreBlocks, blockProduct, wideBlockProduct } = planner.kernels;
  const { heap } = planner;
  planner.step(() => {
    centreBlocks(from, rows, depth, block, quantized, scales);
    heap.f32.fill(0, to / 4, to / 4 + rows * columns);
    for (let b = 0; b < blocks; b++) {
      const own = packed[b] as PackedBlock;
      const run = own.weights === "int8" ? blockProduct : wideBlockProduct;
      run(
        quantized + b * rows * block * 2,
        block * 2,
        own.at,
        own.pairs,
        rows,
        columns,
        to,
        columns * 4,
        1,
        own.scales,
        scales + b * rows * 4,
        0,
      );
    }
  });
};

/** com.microsoft: activations of 8 bits at accuracy level 4, of float32 else. */
const matMulNBits: Operator = (open) => {
  onlyAttributes(open, ["K", "N", "bits", "block_size", "accuracy_level"]);
  checkType(open, 0, ["float32"]);
  checkType(open, 1, ["uint8"]);
  checkType(open, 2, ["float32"]);
  checkType(open, 3, ["uint8"]);
  input(open, 0);
  checked(open.inputs[4] === undefined, "input 4: expected no group indices");
  const weights = blockWeights(open);
  const { depth, columns, block, at, scale } = weights;
  const hasBias = open.inputs[5] !== undefined;
  const packed = intAttribute(open.node, "accuracy_level", 0) === 4 ? packBlocks(open, weights) : undefined;
  const floats =
    packed === undefined
      ? packFloats(open.heap, depth, columns, (k, n) => at(k, n) * scale(Math.floor(k / block), n))
      : 0;
  return {
    outputs: ["float32"],
    packed: [1, 2, 3],
    plan(planner, [value, , , , , bias]) {
      const x = value as Value;
      if (x.shape.at(-1) !== depth)
        throw new RangeError(`input 0: last size: expected ${depth}, got [${x.shape.join(", ")}]`);
      const rows = elementCount(x.shape.slice(0, -1));
      const result = planner.result("float32", [...x.shape.slice(0, -1), columns]);
      if (packed !== undefined) blockSteps(planner, x, { to: result.at, rows, weights, packed });
      else
        floatStep(planner, {
          from: planner.address(x),
          rows,
          to: result.at,
          weights: { at: floats, depth, columns, scale: 1, bias: 0 },
        });
      if (!hasBias) return [result];
      planner.finishedWithNode(result);
      return [binaryStep(planner, "add", result, bias as Value)];
    },
  };
};

/**
 * com.microsoft: rows of a table of 4 or 8 bits in blocks along them; only the rows that are looked up become float.
 */
const gatherBlockQuantized: Operator = (open) => {
  onlyAttributes(open, ["bits", "block_size", "gather_axis", "quantize_axis"]);
  checkType(open, 0, ["uint8", "uint4", "int4"]);
  checkType(open, 1, ["int32", "int64"]);
  checkType(open, 2, ["float32"]);
  const { node } = open;
  const [data, scales, zeros] = [weightOf(open, 0), weightOf(open, 2), constant(open, 3)] as [
    Tensor,
    Tensor<"float32">,
    Tensor | undefined,
  ];
  const { dtype } = data;
  const bits: Bits = dtype === "uint8" ? bitsAttribute(open, 4) : 4;
  const block = intAttribute(node, "block_size", 128);
  const shape = data.shape;
  checked(
    shape.length === 2 &&
      axisOf(intAttribute(node, "gather_axis", 0), 2) === 0 &&
      axisOf(intAttribute(node, "quantize_axis", 1), 2) === 1,
    "data: expected a matrix with rows to gather, quantized along them",
  );
  const rows = shape[0] as number;
  const width = ((shape[1] as number) * bitsOf(dtype)) / bits;
  const blocks = Math.ceil(width / block);
  checked(
    scales.data.length === rows * blocks,
    `scales: expected ${rows * blocks}, got ${scales.data.length}`,
  );
  const sign = dtype === "int4" ? 8 : 0;
  const numbers = (tensor: Tensor, index: number): number => {
    const value = unpacked(tensor.data as Uint8Array, bits, index);
    return sign === 0 ? value : (value ^ sign) - sign;
  };
  const zeroWidth = dtype === "uint8" ? Math.ceil((blocks * bits) / 8) * (8 / bits) : blocks;
  const zeroOf = (row: number, b: number): number =>
    zeros === undefined ? (dtype === "uint8" ? 2 ** (bits - 1) : 0) : numbers(zeros, row * zeroWidth + b);
  return {
    outputs: ["float32"],
    packed: [0, 2, 3],
    plan(planner, [, places]) {
      const indices = places as Value;
      const result = planner.result("float32", [...indices.shape, width]);
      const [at, count] = [planner.address(indices), sizeOf(indices)];
      const { heap } = planner;
      planner.step(() => {
        const given = heap.view(indices.dtype, [count], at).data;
        const out = heap.f32;
        let to = result.at / 4;
        for (let i = 0; i < count; i++) {
          const index = Number(given[i]);
          const row = index < 0 ? index + rows : index;
          if (!(row >= 0 && row < rows))
            throw new RangeError(`indices: element ${i}: expected ${-rows} to ${rows - 1}, got ${index}`);
          for (let b = 0; b < blocks; b++) {
            const scale = scales.data[row * blocks + b] as number;
            const zero = zeroOf(row, b);
            const end = Math.min(width, (b + 1) * block);
            for (let k = b * block; k < end; k++) out[to++] = (numbers(data, row * width + k) - zero) * scale;
          }
        }
      });
      return [result];
    },
  };
};

export const blockOperators: Readonly<Record<string, Operator>> = {
  "com.microsoft.MatMulNBits": matMulNBits,
  "com.microsoft.GatherBlockQuantized": gatherBlockQuantized,
};
