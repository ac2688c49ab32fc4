import { makeColumnsRelative, seededRandom } from "@nasty/core";

/** Sums of two rows that are computed for one weight, at most: more candidates find better partners. */
const budget = 6.5e6;
const fewest = 4;
const most = 64;

/** A weight matrix as its product reads it. */
export interface Rows {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns]. {@link complementaryOrder} writes over them. */
  readonly values: Float32Array;
}

/** Columns that are added up before the sum is looked at. */
const stretch = 64;

/**
 * Σ over columns of (a + b)^12: what is left when the largest sums count most. From `most` on the rest is not added: it
 * is too much anyway.
 */
function cost(values: Float32Array, a: number, b: number, columns: number, most: number): number {
  let sum = 0;
  for (let start = 0; start < columns && sum < most; start += stretch) {
    const end = Math.min(columns, start + stretch);
    for (let i = start; i < end; i++) {
      const pair = (values[a + i] as number) + (values[b + i] as number);
      const squared = pair * pair;
      const fourth = squared * squared;
      sum += fourth * fourth * fourth;
    }
  }
  return sum;
}

/**
 * An order of a weight's rows in which neighbours (2i, 2i + 1) add up to little: large weights of one meet small or
 * opposite ones of the other.
 *
 * Safe pairs need a scale of at least the largest sum of two neighbours; in this order that is seldom more than single
 * weights need. The rows with the largest weights choose first, each the best of some rows that are left. The same
 * weight gives the same order.
 *
 * @param blockSize rows stay within their block of so many; even, and a divisor of the rows
 * @returns row numbers, by their new place
 */
export function complementaryOrder(weight: Rows, blockSize = weight.rows): number[] {
  const { rows, columns, values } = weight;
  makeColumnsRelative(values, columns);
  const random = seededRandom(1);
  const perPair = columns * Math.ceil(rows / 2);
  const candidates = Math.min(most, Math.max(fewest, Math.floor(budget / Math.max(1, perPair))));
  const order: number[] = [];
  for (let first = 0; first < rows; first += blockSize) {
    const block = Array.from({ length: Math.min(blockSize, rows - first) }, (_, i) => first + i);
    const weights = new Map(
      block.map((row) => [
        row,
        cost(values, row * columns, row * columns, columns, Number.POSITIVE_INFINITY),
      ]),
    );
    const left = block.sort((a, b) => (weights.get(a) as number) - (weights.get(b) as number));
    while (left.length > 1) {
      const row = left.pop() as number;
      let partner = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let k = 0; k < Math.min(candidates, left.length); k++) {
        const at = left.length <= candidates ? k : random.below(left.length);
        const pair = cost(values, row * columns, (left[at] as number) * columns, columns, least);
        if (pair < least) [partner, least] = [at, pair];
      }
      order.push(row, ...left.splice(partner, 1));
    }
    order.push(...left);
  }
  return order;
}
