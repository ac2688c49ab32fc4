import { CoreError } from "./core-error.js";
import { elementCount } from "./tensor.js";

/** Which elements share one scale and zero point. */
export type Granularity =
  | { readonly kind: "per-tensor" }
  | { readonly kind: "per-channel"; readonly axis: number }
  | { readonly kind: "per-block"; readonly axis: number; readonly blockSize: number };

/** One scale for the whole tensor. */
export const perTensor: Granularity = { kind: "per-tensor" };

/** One scale for each index of an axis; a negative axis counts from the end. */
export function perChannel(axis: number): Granularity {
  return { kind: "per-channel", axis };
}

/** One scale for each run of `blockSize` elements along an axis; the last block may be shorter. */
export function perBlock(axis: number, blockSize: number): Granularity {
  return { kind: "per-block", axis, blockSize };
}

/**
 * A tensor seen as `[outer, length, inner]` around the quantized axis.
 * Groups are numbered row-major over the shape of the scale.
 */
export interface GroupLayout {
  readonly outer: number;
  /** Size of the quantized axis. */
  readonly length: number;
  readonly inner: number;
  /** Elements along the axis that share a scale: 1 per channel. */
  readonly blockSize: number;
  readonly groups: number;
  /** Shape of the scale as ONNX stores it. */
  readonly groupShape: readonly number[];
}

/**
 * Where the groups of a granularity lie in a tensor of this shape.
 *
 * @throws CoreError `axis` when the axis is outside the shape, `block-size` when it is no positive integer.
 */
export function groupLayout(
  operation: string,
  shape: readonly number[],
  granularity: Granularity,
): GroupLayout {
  const count = elementCount(shape);
  if (granularity.kind === "per-tensor") {
    return { outer: 1, length: 1, inner: count, blockSize: 1, groups: 1, groupShape: [] };
  }
  const rank = shape.length;
  const axis = granularity.axis < 0 ? granularity.axis + rank : granularity.axis;
  if (!Number.isInteger(axis) || axis < 0 || axis >= rank) {
    throw new CoreError(
      "axis",
      `${operation}: [${shape.join(", ")}]: axis: expected ${-rank}..${rank - 1}, got ${granularity.axis}`,
      { shape, axis: granularity.axis },
    );
  }
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const length = shape[axis] as number;
  switch (granularity.kind) {
    case "per-channel":
      return { outer, length, inner, blockSize: 1, groups: length, groupShape: [length] };
    case "per-block": {
      const { blockSize } = granularity;
      if (!Number.isInteger(blockSize) || blockSize < 1) {
        throw new CoreError(
          "block-size",
          `${operation}: [${shape.join(", ")}]: block size: expected a positive integer, got ${blockSize}`,
          { blockSize },
        );
      }
      const blocks = Math.ceil(length / blockSize);
      const groupShape = shape.map((size, index) => (index === axis ? blocks : size));
      return { outer, length, inner, blockSize, groups: outer * blocks * inner, groupShape };
    }
    default: {
      const unreachable: never = granularity;
      throw new TypeError(`groupLayout: ${String(unreachable)}`);
    }
  }
}

/**
 * A visit of every element in memory order: `run` for neighbours that share a group, `row` for neighbours of which each
 * has the next group. Rows keep a column-quantized matrix a walk through memory.
 */
export interface GroupVisitor {
  run(start: number, end: number, group: number): void;
  row(start: number, end: number, firstGroup: number): void;
}

/** Calls the visitor for each run or row of a tensor, in memory order. */
export function visitGroups(granularity: Granularity, layout: GroupLayout, visitor: GroupVisitor): void {
  const { outer, length, inner, blockSize } = layout;
  if (granularity.kind === "per-tensor") {
    visitor.run(0, inner, 0);
  } else if (granularity.kind === "per-channel") {
    for (let o = 0, start = 0; o < outer; o++) {
      if (inner === 1) {
        visitor.row(start, start + length, 0);
        start += length;
        continue;
      }
      for (let c = 0; c < length; c++, start += inner) visitor.run(start, start + inner, c);
    }
  } else {
    const blocks = Math.ceil(length / blockSize);
    for (let o = 0; o < outer; o++) {
      for (let block = 0; block < blocks; block++) {
        const first = block * blockSize;
        const last = Math.min(length, first + blockSize);
        const group = (o * blocks + block) * inner;
        const start = (o * length + first) * inner;
        const end = (o * length + last) * inner;
        if (inner === 1) visitor.run(start, end, group);
        else for (let row = start; row < end; row += inner) visitor.row(row, row + inner, group);
      }
    }
  }
}
