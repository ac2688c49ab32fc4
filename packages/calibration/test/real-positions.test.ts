import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AxisRole } from "../src/axis-roles.js";
import { addRealRuns, layoutOf, noRuns, vectorLayout } from "../src/real-positions.js";
import type { TokenMask } from "../src/token-mask.js";

interface Case {
  readonly mask?: TokenMask;
  readonly roles?: readonly AxisRole[];
  /** Of vectors of this width. */
  readonly width?: number;
}

/** Two sentences of length 2 and 1 in a batch. */
const two: TokenMask = { rows: 2, length: 2, real: Uint8Array.of(1, 1, 1, 0) };

/** Places of one sample's real elements. */
const placesOf = (
  shape: readonly number[],
  row: number,
  { mask = two, roles = [], width }: Case = {},
): number[] => {
  const layout = layoutOf(shape, mask, roles);
  const runs = noRuns();
  addRealRuns(runs, width === undefined ? layout : vectorLayout(layout, width), mask, row);
  const places: number[] = [];
  for (let pair = 0; pair < runs.length; pair += 2) {
    for (let i = runs.bounds[pair] as number; i < (runs.bounds[pair + 1] as number); i++) places.push(i);
  }
  return places;
};

const upTo = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

describe("real positions", () => {
  it("of [batch, length, features]", () => {
    expect(placesOf([2, 2, 3], 0)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(placesOf([2, 2, 3], 1)).toEqual([6, 7, 8]);
  });

  it("of [batch, heads, length, length]: rows and columns of padding go", () => {
    // Of each of two heads' 2 × 2 scores of the second sentence only the first is between real tokens.
    expect(placesOf([2, 2, 2, 2], 1, { roles: [undefined, "fixed", undefined, undefined] })).toEqual([8, 12]);
  });

  it("of a flattened batch, also behind an axis of one", () => {
    expect(placesOf([4, 3], 0)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(placesOf([4, 3], 1)).toEqual([6, 7, 8]);
    expect(placesOf([1, 4, 3], 1)).toEqual([6, 7, 8]);
  });

  it("of [length, batch, features], and with an axis of directions between", () => {
    const mask: TokenMask = { rows: 2, length: 3, real: Uint8Array.of(1, 1, 1, 1, 0, 0) };
    expect(placesOf([3, 2, 2], 0, { mask })).toEqual([0, 1, 4, 5, 8, 9]);
    expect(placesOf([3, 2, 2], 1, { mask })).toEqual([2, 3]);
    const roles = [undefined, "fixed", undefined, "fixed"] as const;
    expect(placesOf([3, 2, 2, 1], 1, { mask, roles })).toEqual([1, 3]);
  });

  it("of as many sentences as positions, where the axes have names", () => {
    expect(placesOf([2, 2, 3], 1, { roles: ["position", "batch", "fixed"] })).toEqual([3, 4, 5]);
    expect(placesOf([2, 2, 3], 1, { roles: ["batch", "position", "fixed"] })).toEqual([6, 7, 8]);
  });

  it("do not take a fixed size for the length", () => {
    expect(placesOf([2, 2, 2], 1, { roles: [undefined, undefined, "fixed"] })).toEqual([4, 5]);
    expect(placesOf([2, 2, 2], 1)).toEqual([4]);
  });

  it("are all there are where no axis is the batch", () => {
    for (const shape of [[5, 3], [2], [], [7, 2]]) {
      const size = shape.reduce((product, dimension) => product * dimension, 1);
      const mask: TokenMask = { rows: 3, length: 4, real: new Uint8Array(12).fill(1, 0, 9) };
      expect(placesOf(shape, 2, { mask })).toEqual(upTo(size));
    }
    expect(placesOf([2, 0, 3], 1)).toEqual([]);
  });

  it("of vectors are whole, whatever the last axis runs over", () => {
    expect(placesOf([2, 3, 2], 1, { width: 2 })).toEqual([6, 7, 8, 9, 10, 11]);
    expect(placesOf([2, 2, 2], 1, { width: 2 })).toEqual([4, 5]);
    expect(placesOf([2, 2], 1, { width: 2 })).toEqual([2, 3]);
  });

  it("of every sample together are all elements where nothing is padding, each once", () => {
    const dimension = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(
        fc.array(dimension, { maxLength: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (shape, rows, length) => {
          const mask: TokenMask = { rows, length, real: new Uint8Array(rows * length).fill(1) };
          const size = shape.reduce((product, next) => product * next, 1);
          const isWhole = layoutOf(shape, mask).axes.length === 0;
          const places = upTo(isWhole ? 1 : rows).flatMap((row) => placesOf(shape, row, { mask }));
          expect(places.sort((a, b) => a - b)).toEqual(upTo(size));
        },
      ),
    );
  });

  it("are those that the indices say, on any axes", () => {
    const axis = fc.constantFrom("position", "other");
    fc.assert(
      fc.property(
        fc.array(axis, { maxLength: 4 }),
        fc.nat({ max: 4 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
        (others, at, lengths) => {
          const [rows, length] = [lengths.length, 5];
          const kinds = [...others.slice(0, at), "batch", ...others.slice(at)];
          // Behind other axes than positions a batch is not looked for.
          fc.pre(kinds[0] === "batch" || (kinds[0] === "position" && kinds.length > 2));
          const real = Uint8Array.from(upTo(rows * length), (i) =>
            i % length < (lengths[Math.floor(i / length)] as number) ? 1 : 0,
          );
          const shape = kinds.map((kind) => (kind === "batch" ? rows : kind === "position" ? length : 3));
          const roles = kinds.map((kind): AxisRole => (kind === "other" ? "fixed" : (kind as AxisRole)));
          const row = rows - 1;
          const expected = upTo(shape.reduce((product, size) => product * size, 1)).filter((place) => {
            let rest = place;
            return shape
              .map((size, i) => [size, kinds[i]] as const)
              .reverse()
              .every(([size, kind]) => {
                const index = rest % size;
                rest = Math.floor(rest / size);
                if (kind === "batch") return index === row;
                return kind !== "position" || real[row * length + index] === 1;
              });
          });
          expect(placesOf(shape, row, { mask: { rows, length, real }, roles })).toEqual(expected);
        },
      ),
    );
  });
});
