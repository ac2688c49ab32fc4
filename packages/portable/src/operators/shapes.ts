import { elementCount } from "@nasty/core";

/** Elements to step over for each axis of a row-major array. */
export const stridesOf = (shape: readonly number[]): number[] => {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  return strides;
};

/**
 * The shape that shapes broadcast to.
 *
 * @throws RangeError for sizes that do not fit
 */
export const broadcastShape = (shapes: readonly (readonly number[])[]): number[] => {
  const rank = shapes.reduce((most, { length }) => Math.max(most, length), 0);
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own === 1 || own === size) continue;
      if (size !== 1) throw new RangeError(`shapes: expected ones that broadcast, got ${shapesText(shapes)}`);
      size = own;
    }
    return size;
  });
};

const shapesText = (shapes: readonly (readonly number[])[]): string =>
  shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ");

/** Elements to step over in an operand for each axis of the result that it is spread to: 0 where it is repeated. */
export const spreadStrides = (shape: readonly number[], result: readonly number[]): number[] => {
  const strides = stridesOf(shape);
  const lead = result.length - shape.length;
  return result.map((_, axis) =>
    axis < lead || shape[axis - lead] === 1 ? 0 : (strides[axis - lead] as number),
  );
};

/** A walk over several arrays at once: a size an axis, and for each array its step. */
export interface Walk {
  readonly sizes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** The same walk over as few axes as possible: those of size 1 left out, those that are one in every array joined. */
export const joinedAxes = ({ sizes, strides }: Walk): { sizes: number[]; strides: number[][] } => {
  const joined: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const size = sizes[axis] as number;
    if (size === 1) continue;
    const outer = joined[0];
    const continues =
      outer !== undefined &&
      strides.every((own, k) => (own[axis] as number) === ((steps[k] as number[])[0] as number) * outer);
    if (continues) {
      joined[0] = size * outer;
      continue;
    }
    joined.unshift(size);
    for (const [k, own] of strides.entries()) (steps[k] as number[]).unshift(own[axis] as number);
  }
  return { sizes: joined, strides: steps };
};

/** Offsets of each array at every position of a walk, [array][position]. */
export const walkOffsets = ({ sizes, strides }: Walk): number[][] => {
  const count = elementCount(sizes);
  const offsets = strides.map(() => Array.from({ length: count }, () => 0));
  const index = sizes.map(() => 0);
  const current = strides.map(() => 0);
  for (let position = 0; position < count; position++) {
    for (let k = 0; k < strides.length; k++) (offsets[k] as number[])[position] = current[k] as number;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      const isInside = next < (sizes[axis] as number);
      index[axis] = isInside ? next : 0;
      const moved = isInside ? 1 : 1 - (sizes[axis] as number);
      for (let k = 0; k < strides.length; k++)
        current[k] = (current[k] as number) + moved * ((strides[k] as number[])[axis] as number);
      if (isInside) break;
    }
  }
  return offsets;
};
