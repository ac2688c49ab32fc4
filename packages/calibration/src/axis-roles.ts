import type { Tensor } from "@nasty/core";
import type { ValueInfo } from "@nasty/runtime";

/**
 * What a model says of an axis: something else than samples and positions, the one, or the other; nothing where it is
 * not known.
 */
export type AxisRole = "fixed" | "batch" | "position" | undefined;

/** How the inputs of a model speak of samples and token positions. */
export interface InputAxes {
  readonly rows: number;
  readonly length: number;
  /** Names of the varying axes. */
  readonly batch: ReadonlySet<string>;
  readonly position: ReadonlySet<string>;
  /** Whether the model takes batches, or sentences, of one size only: then that size says nothing about an axis. */
  readonly isBatchFixed: boolean;
  readonly isLengthFixed: boolean;
}

/** Reads the axes of inputs that are fed [rows, length, …]. */
export const inputAxesOf = (
  inputs: readonly ValueInfo[],
  feeds: Readonly<Record<string, Tensor>>,
  { rows, length }: { readonly rows: number; readonly length: number },
): InputAxes => {
  const batch = new Set<string>();
  const position = new Set<string>();
  let isBatchFixed = false;
  let isLengthFixed = false;
  for (const { name, shape } of inputs) {
    const fed = Object.hasOwn(feeds, name) ? feeds[name]?.shape : undefined;
    if (fed === undefined || fed[0] !== rows || fed[1] !== length) continue;
    const [first, second] = shape;
    if (typeof first === "number") isBatchFixed = true;
    else if (first !== undefined && first !== "") batch.add(first);
    if (typeof second === "number") isLengthFixed = true;
    else if (second !== undefined && second !== "") position.add(second);
  }
  // One name for both tells nothing.
  for (const name of batch) {
    if (position.delete(name)) batch.delete(name);
  }
  return { rows, length, batch, position, isBatchFixed, isLengthFixed };
};

/**
 * What the model says of each axis of a tensor.
 *
 * A number is no axis of samples or positions, unless that is how the inputs have theirs. Of a model that takes
 * sentences of one length only, the first axis of that size is the positions' and a further one a hidden size: the
 * other way round real values would be lost.
 *
 * @param shape as inference has it: sizes, symbols, or nothing where it does not know
 */
export const axisRoles = (
  shape: readonly (number | string | undefined)[],
  { rows, length, batch, position, isBatchFixed, isLengthFixed }: InputAxes,
): AxisRole[] => {
  let hasBatch = false;
  let hasPositions = false;
  return shape.map((size, axis) => {
    if (typeof size === "string")
      return batch.has(size) ? "batch" : position.has(size) ? "position" : undefined;
    if (size === undefined) return undefined;
    if (isBatchFixed && !hasBatch && (axis === 0 || hasPositions) && size === rows) {
      hasBatch = true;
      return "batch";
    }
    if (isBatchFixed && isLengthFixed && axis === 0 && size === rows * length) {
      // A flattened batch: the sizes say so.
      hasPositions = true;
      return undefined;
    }
    if (!isLengthFixed || size !== length || hasPositions) return "fixed";
    hasPositions = true;
    return "position";
  });
};
