import type { AxisRole } from "./axis-roles.js";
import { paddingOf, type TokenMask } from "./token-mask.js";

/** An axis that the mask speaks of: its size, and elements between neighbours. */
interface MaskedAxis {
  readonly kind: "batch" | "position";
  readonly size: number;
  readonly stride: number;
}

/** Where samples and token positions lie in a tensor. */
export interface Layout {
  /** Elements of the tensor. */
  readonly size: number;
  /** Outermost first, one of them the batch; none in a tensor without a batch axis. */
  readonly axes: readonly MaskedAxis[];
}

/** Runs of neighbouring elements: [from, to) in pairs, of which `length` numbers are valid. */
export interface Runs {
  bounds: Int32Array;
  length: number;
}

/** How many elements they hold. */
export const elementsOf = ({ bounds, length }: Runs): number => {
  let elements = 0;
  for (let pair = 0; pair < length; pair += 2) {
    elements += (bounds[pair + 1] as number) - (bounds[pair] as number);
  }
  return elements;
};

export const noRuns = (): Runs => ({ bounds: new Int32Array(64), length: 0 });

const productOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

/**
 * Finds samples and positions in a tensor, by the sizes of its axes and what the model says of them.
 *
 * The batch is axis 0 if that has the batch's size; else a flattened [batch · length] axis with nothing before it;
 * else, behind an axis 0 of positions, the first axis of that size ([length, batch, …], as recurrent layers have it).
 * Positions are all other axes of the batch's length. A fixed axis is neither: a hidden size may happen to equal the
 * length.
 *
 * @param roles what the model says of each axis; nothing where it is not known
 */
export const layoutOf = (
  shape: readonly number[],
  { rows, length }: Pick<TokenMask, "rows" | "length">,
  roles: readonly AxisRole[] = [],
): Layout => {
  const size = productOf(shape);
  const strides = shape.map((_, axis) => productOf(shape.slice(axis + 1)));
  const isOpen = (axis: number): boolean => roles[axis] !== "fixed";
  const isBatch = (axis: number): boolean =>
    shape[axis] === rows && isOpen(axis) && roles[axis] !== "position";
  const isPosition = (axis: number): boolean =>
    shape[axis] === length && isOpen(axis) && roles[axis] !== "batch";
  const positionsWithout = (taken: number): MaskedAxis[] =>
    shape.flatMap((dimension, axis) =>
      axis !== taken && isPosition(axis)
        ? [{ kind: "position" as const, size: dimension, stride: strides[axis] as number }]
        : [],
    );
  const withBatch = (axis: number): Layout => ({
    size,
    axes: [
      { kind: "batch" as const, size: rows, stride: strides[axis] as number },
      ...positionsWithout(axis),
    ].sort((a, b) => b.stride - a.stride || b.size - a.size),
  });

  if (isBatch(0)) return withBatch(0);
  const first = shape.findIndex((dimension) => dimension !== 1);
  if (first !== -1 && shape[first] === rows * length && isOpen(first)) {
    const stride = strides[first] as number;
    return {
      size,
      axes: [
        { kind: "batch", size: rows, stride: stride * length },
        { kind: "position", size: length, stride },
        ...positionsWithout(first),
      ],
    };
  }
  const inner =
    shape.length > 2 && isPosition(0) ? shape.findIndex((_, axis) => axis > 0 && isBatch(axis)) : -1;
  // Without a batch axis no position belongs to one sample, so nothing can be left out.
  return inner === -1 ? { size, axes: [] } : withBatch(inner);
};

/** The same for vectors along the last axis, which are whole whatever it runs over. */
export const vectorLayout = ({ size, axes }: Layout, width: number): Layout => {
  const outer = axes.filter(({ stride }) => stride >= width);
  return { size, axes: outer.some(({ kind }) => kind === "batch") ? outer : [] };
};

const append = (runs: Runs, from: number, to: number): void => {
  if (runs.length > 0 && runs.bounds[runs.length - 1] === from) {
    runs.bounds[runs.length - 1] = to;
    return;
  }
  if (runs.length === runs.bounds.length) {
    const larger = new Int32Array(2 * runs.length);
    larger.set(runs.bounds);
    runs.bounds = larger;
  }
  runs.bounds[runs.length] = from;
  runs.bounds[runs.length + 1] = to;
  runs.length += 2;
};

/**
 * Adds the elements of one sample that stand for real tokens, in the order of memory; all of a tensor without a batch
 * axis.
 */
export const addRealRuns = (runs: Runs, { size, axes }: Layout, mask: TokenMask, row: number): void => {
  if (size === 0) return;
  const padded = paddingOf(mask, row);
  const walked = padded === undefined ? axes.filter(({ kind }) => kind === "batch") : axes;
  const walk = (depth: number, from: number, extent: number): void => {
    const axis = walked[depth];
    if (axis === undefined) {
      append(runs, from, from + extent);
      return;
    }
    const { stride } = axis;
    const block = stride * axis.size;
    for (let outer = from; outer < from + extent; outer += block) {
      if (axis.kind === "batch") {
        walk(depth + 1, outer + row * stride, stride);
        continue;
      }
      for (let position = 0; position < axis.size; position++) {
        if (padded?.[position] !== 0) walk(depth + 1, outer + position * stride, stride);
      }
    }
  };
  walk(0, 0, size);
};
