import fc from "fast-check";
import { it } from "vitest";
import { transposeBytes } from "../../src/rewrite/transpose-matrix.js";

it("swaps rows and columns of each matrix, across tiles", () => {
  const size = fc.integer({ min: 1, max: 70 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), size, size, (count, rows, columns) => {
      const data = Int8Array.from({ length: count * rows * columns }, (_, index) => (index * 31) % 251);
      const turned = transposeBytes(data, count, rows, columns);
      for (let index = 0; index < data.length; index++) {
        const [m, rest] = [Math.floor(index / (rows * columns)), index % (rows * columns)];
        const [row, column] = [Math.floor(rest / columns), rest % columns];
        if (turned[m * rows * columns + column * rows + row] !== data[index]) return false;
      }
      return transposeBytes(turned, count, columns, rows).every((value, index) => value === data[index]);
    }),
    { numRuns: 30 },
  );
});
