import { bitsOf, elementCount, type Tensor } from "@nasty/core";
import { intAttribute, intsAttribute, stringAttribute } from "@nasty/formats/onnx";
import type { BuiltNode, OpenNode, Operator } from "../plan/operator.js";
import type { Planner } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { axisOf, checked, checkStatic, checkType, input, integersOf, onlyAttributes } from "./checks.js";
import { emptyTensor } from "./on-host.js";
import { broadcastShape, joinedAxes, spreadStrides, stridesOf, walkOffsets } from "./shapes.js";

/** A box of elements that moves from an input into a result; offsets and strides count elements. */
interface Piece {
  readonly input: number;
  readonly output: number;
  readonly sizes: readonly number[];
  readonly fromOffset: number;
  readonly fromStrides: readonly number[];
  readonly toOffset: number;
  readonly toStrides: readonly number[];
}

interface Layout {
  readonly shapes: readonly (readonly number[])[];
  readonly pieces: readonly Piece[];
  /** What stands where no piece does. */
  readonly fill?: number | bigint | undefined;
}

/** What is moved, from the shapes of all inputs and the elements of those that say how. */
type LayoutOf = (
  inputs: readonly ({ readonly shape: readonly number[]; readonly known?: Tensor | undefined } | undefined)[],
) => Layout;

const moveOnHost = (from: Tensor, to: Tensor, piece: Piece): void => {
  const { sizes, strides } = joinedAxes({
    sizes: piece.sizes,
    strides: [piece.fromStrides, piece.toStrides],
  });
  const [source, target] = walkOffsets({ sizes, strides }) as [number[], number[]];
  const data = to.data as unknown as unknown[];
  for (let i = 0; i < source.length; i++)
    data[(target[i] as number) + piece.toOffset] = from.data[(source[i] as number) + piece.fromOffset];
};

export const moveInMemory = (
  planner: Planner,
  from: number,
  to: number,
  { piece, size }: { readonly piece: Piece; readonly size: number },
): void => {
  if (elementCount(piece.sizes) === 0) return;
  const { sizes, strides } = joinedAxes({
    sizes: piece.sizes,
    strides: [piece.fromStrides, piece.toStrides],
  });
  const [fromStrides, toStrides] = strides as [number[], number[]];
  while (sizes.length < 3) {
    sizes.unshift(1);
    fromStrides.unshift(0);
    toStrides.unshift(0);
  }
  const outer = sizes.length - 3;
  const [fromOffsets, toOffsets] = walkOffsets({
    sizes: sizes.slice(0, outer),
    strides: [fromStrides.slice(0, outer), toStrides.slice(0, outer)],
  }) as [number[], number[]];
  const inner = [0, 1, 2].flatMap((axis) => [
    sizes[outer + axis] as number,
    (fromStrides[outer + axis] as number) * size,
    (toStrides[outer + axis] as number) * size,
  ]) as [number, number, number, number, number, number, number, number, number];
  const { copy } = planner.kernels;
  const [firstFrom, firstTo] = [from + piece.fromOffset * size, to + piece.toOffset * size];
  planner.step(() => {
    for (let i = 0; i < fromOffsets.length; i++)
      copy(
        firstFrom + (fromOffsets[i] as number) * size,
        firstTo + (toOffsets[i] as number) * size,
        inner[0],
        inner[1],
        inner[2],
        inner[3],
        inner[4],
        inner[5],
        inner[6],
        inner[7],
        inner[8],
        size,
      );
  });
};

/** Fills a result at run time with a value of its type. */
const fillInMemory = (
  planner: Planner,
  result: Value & { readonly at: number },
  fill: number | bigint,
): void => {
  const { heap } = planner;
  planner.step(() => {
    (heap.view(result.dtype, result.shape, result.at).data as Float32Array).fill(fill as number);
  });
};

const mover = (open: OpenNode, outputs: number, layoutOf: LayoutOf): BuiltNode => {
  const { dtype } = input(open, 0);
  const size = bitsOf(dtype) / 8;
  checked(size >= 1, `input 0: type: expected whole bytes, got ${dtype}`);
  return {
    outputs: Array.from({ length: outputs }, () => dtype),
    host(inputs) {
      const layout = layoutOf(inputs.map((one) => one && { shape: one.shape, known: one }));
      const results = layout.shapes.map((shape) => emptyTensor(dtype, shape));
      if (layout.fill !== undefined)
        for (const { data } of results) (data as Float32Array).fill(layout.fill as number);
      for (const piece of layout.pieces)
        moveOnHost(inputs[piece.input] as Tensor, results[piece.output] as Tensor, piece);
      return results;
    },
    plan(planner, inputs) {
      const layout = layoutOf(inputs);
      const results = layout.shapes.map((shape) => planner.result(dtype, shape));
      if (layout.fill !== undefined) for (const result of results) fillInMemory(planner, result, layout.fill);
      for (const piece of layout.pieces) {
        const from = planner.address(inputs[piece.input] as Value);
        const to = (results[piece.output] as { readonly at: number }).at;
        moveInMemory(planner, from, to, { piece, size });
      }
      return results;
    },
  };
};

const shapeAt = (inputs: Parameters<LayoutOf>[0], index: number): readonly number[] =>
  (inputs[index] as { readonly shape: readonly number[] }).shape;

const known = (inputs: Parameters<LayoutOf>[0], index: number): number[] | undefined => {
  const found = inputs[index]?.known;
  return found === undefined ? undefined : integersOf(found);
};

const transpose: Operator = (open) => {
  onlyAttributes(open, ["perm"]);
  const given = open.node.attribute.some(({ name }) => name === "perm")
    ? intsAttribute(open.node, "perm")
    : undefined;
  return mover(open, 1, (inputs) => {
    const shape = shapeAt(inputs, 0);
    const perm = given ?? shape.map((_, axis) => shape.length - 1 - axis);
    if (
      perm.length !== shape.length ||
      new Set(perm.map((axis) => axisOf(axis, shape.length))).size !== perm.length
    )
      throw new RangeError(`perm: expected each of ${shape.length} axes, got ${perm.join(", ")}`);
    const strides = stridesOf(shape);
    const sizes = perm.map((axis) => shape[axis] as number);
    const fromStrides = perm.map((axis) => strides[axis] as number);
    return {
      shapes: [sizes],
      pieces: [
        { input: 0, output: 0, sizes, fromOffset: 0, fromStrides, toOffset: 0, toStrides: stridesOf(sizes) },
      ],
    };
  });
};

const concat: Operator = (open) => {
  onlyAttributes(open, ["axis"]);
  const given = intAttribute(open.node, "axis", 0);
  const { dtype } = input(open, 0);
  for (const index of open.inputs.keys()) checkType(open, index, [dtype]);
  return mover(open, 1, (inputs) => {
    const first = shapeAt(inputs, 0);
    const axis = axisOf(given, first.length);
    const parts = inputs.map((_, index) => shapeAt(inputs, index));
    const isFit = parts.every(
      (shape) => shape.length === first.length && shape.every((size, k) => k === axis || size === first[k]),
    );
    if (!isFit)
      throw new RangeError(
        `shapes: expected ones that differ in axis ${axis} only, got ${parts.map((shape) => `[${shape.join(", ")}]`).join(" ")}`,
      );
    const sizes = first.with(
      axis,
      parts.reduce((sum, shape) => sum + (shape[axis] as number), 0),
    );
    const toStrides = stridesOf(sizes);
    let start = 0;
    const pieces = parts.map((shape, index): Piece => {
      const toOffset = start * (toStrides[axis] as number);
      start += shape[axis] as number;
      return {
        input: index,
        output: 0,
        sizes: shape,
        fromOffset: 0,
        fromStrides: stridesOf(shape),
        toOffset,
        toStrides,
      };
    });
    return { shapes: [sizes], pieces };
  });
};

const slice: Operator = (open) => {
  onlyAttributes(open, []);
  for (const index of [1, 2, 3, 4]) checkStatic(open, index);
  return mover(open, 1, (inputs) => {
    const shape = shapeAt(inputs, 0);
    const starts = known(inputs, 1) ?? [];
    const ends = known(inputs, 2) ?? [];
    const axes = known(inputs, 3) ?? starts.map((_, axis) => axis);
    const steps = known(inputs, 4) ?? starts.map(() => 1);
    const sizes = [...shape];
    const strides = stridesOf(shape);
    let fromOffset = 0;
    for (const [k, given] of axes.entries()) {
      const axis = axisOf(given, shape.length);
      const [start, end, step] = [starts[k], ends[k], steps[k]];
      if (start === undefined || end === undefined || step === undefined || step === 0)
        throw new RangeError(`starts, ends and steps: expected one an axis, and no step of 0`);
      const size = shape[axis] as number;
      const clamp = (value: number, low: number, high: number): number =>
        Math.min(Math.max(value < 0 ? value + size : value, low), high);
      const from = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
      const to = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
      sizes[axis] = Math.max(0, Math.ceil((to - from) / step));
      fromOffset += from * (strides[axis] as number);
      strides[axis] = (strides[axis] as number) * step;
    }
    return {
      shapes: [sizes],
      pieces: [
        {
          input: 0,
          output: 0,
          sizes,
          fromOffset,
          fromStrides: strides,
          toOffset: 0,
          toStrides: stridesOf(sizes),
        },
      ],
    };
  });
};

const split: Operator = (open) => {
  onlyAttributes(open, ["axis", "num_outputs"]);
  checkStatic(open, 1);
  const given = intAttribute(open.node, "axis", 0);
  const count = open.node.output.length;
  return mover(open, count, (inputs) => {
    const shape = shapeAt(inputs, 0);
    const axis = axisOf(given, shape.length);
    const size = shape[axis] as number;
    const share = Math.ceil(size / count);
    const parts =
      known(inputs, 1) ??
      Array.from({ length: count }, (_, k) => Math.max(0, Math.min(share, size - k * share)));
    if (
      parts.length !== count ||
      parts.reduce((sum, part) => sum + part, 0) !== size ||
      Math.min(...parts) < 0
    )
      throw new RangeError(`split: expected ${count} sizes of ${size} together, got ${parts.join(", ")}`);
    const fromStrides = stridesOf(shape);
    let start = 0;
    const pieces = parts.map((part, output): Piece => {
      const sizes = shape.with(axis, part);
      const fromOffset = start * (fromStrides[axis] as number);
      start += part;
      return { input: 0, output, sizes, fromOffset, fromStrides, toOffset: 0, toStrides: stridesOf(sizes) };
    });
    return { shapes: pieces.map(({ sizes }) => sizes), pieces };
  });
};

const expand: Operator = (open) => {
  onlyAttributes(open, []);
  checkStatic(open, 1);
  return mover(open, 1, (inputs) => {
    const shape = shapeAt(inputs, 0);
    const sizes = broadcastShape([shape, known(inputs, 1) ?? []]);
    return {
      shapes: [sizes],
      pieces: [
        {
          input: 0,
          output: 0,
          sizes,
          fromOffset: 0,
          fromStrides: spreadStrides(shape, sizes),
          toOffset: 0,
          toStrides: stridesOf(sizes),
        },
      ],
    };
  });
};

const pad: Operator = (open) => {
  onlyAttributes(open, ["mode"]);
  const mode = stringAttribute(open.node, "mode", "constant");
  checked(mode === "constant", `attribute mode: expected constant, got ${mode}`);
  for (const index of [1, 2, 3]) checkStatic(open, index);
  return mover(open, 1, (inputs) => {
    const shape = shapeAt(inputs, 0);
    const pads = known(inputs, 1) ?? [];
    const axes = (known(inputs, 3) ?? shape.map((_, axis) => axis)).map((axis) => axisOf(axis, shape.length));
    if (pads.length !== 2 * axes.length)
      throw new RangeError(`pads: expected ${2 * axes.length}, got ${pads.length}`);
    const before = shape.map(() => 0);
    const after = shape.map(() => 0);
    for (const [k, axis] of axes.entries()) {
      before[axis] = pads[k] as number;
      after[axis] = pads[k + axes.length] as number;
    }
    const result = shape.map((size, axis) => size + (before[axis] as number) + (after[axis] as number));
    const toStrides = stridesOf(result);
    const fromStrides = stridesOf(shape);
    // Pads below zero cut.
    const cut = before.map((count) => Math.max(0, -count));
    const sizes = shape.map(
      (size, axis) => size - (cut[axis] as number) - Math.max(0, -(after[axis] as number)),
    );
    const offset = (counts: readonly number[], strides: readonly number[]): number =>
      counts.reduce((sum, count, axis) => sum + Math.max(0, count) * (strides[axis] as number), 0);
    const fill = inputs[2]?.known?.data[0] ?? 0;
    return {
      shapes: [result],
      fill: typeof fill === "number" && open.inputs[0]?.dtype.endsWith("nt64") ? BigInt(fill) : fill,
      pieces: [
        {
          input: 0,
          output: 0,
          sizes,
          fromOffset: offset(cut, fromStrides),
          fromStrides,
          toOffset: offset(before, toStrides),
          toStrides,
        },
      ],
    };
  });
};

export const copyOperators: Readonly<Record<string, Operator>> = {
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Split: split,
  Expand: expand,
  Pad: pad,
};
