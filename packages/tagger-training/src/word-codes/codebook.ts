import type { Random } from "@nasty/training";

/** The rows of a codebook, and which of them is nearest to each vector. */
export interface Codebook {
  /** Float32 [rows, width]. */
  readonly rows: Float32Array;
  /** [vectors] */
  readonly codes: Uint8Array;
}

export interface CodebookOptions {
  readonly width: number;
  /** At most 256. */
  readonly rows: number;
  /** How many of the first vectors the rows are learned from; all are coded. */
  readonly learnedFrom: number;
  readonly rounds: number;
  readonly random: Random;
}

/**
 * k-means: rows such that each vector is near one of them.
 *
 * Rows start at vectors drawn by chance; a row that no vector is nearest to starts anew at another.
 *
 * @param vectors float32 [count, width]
 * @see S. Lloyd, "Least Squares Quantization in PCM" (1982)
 */
export function makeCodebook(
  vectors: Float32Array,
  { width, rows: count, learnedFrom, rounds, random }: CodebookOptions,
): Codebook {
  const total = vectors.length / width;
  const learned = Math.min(total, learnedFrom);
  const rows = new Float32Array(count * width);
  const startAnew = (row: number): void => {
    const drawn = Math.floor(random.uniform() * learned);
    rows.set(vectors.subarray(drawn * width, (drawn + 1) * width), row * width);
  };
  for (let row = 0; row < count; row++) startAnew(row);
  const codes = new Uint8Array(total);
  const sums = new Float64Array(count * width);
  const members = new Int32Array(count);
  for (let round = 0; round < rounds; round++) {
    assign(vectors, rows, { codes, count: learned, width });
    sums.fill(0);
    members.fill(0);
    for (let i = 0; i < learned; i++) {
      const row = codes[i] as number;
      members[row] = (members[row] as number) + 1;
      for (let j = 0; j < width; j++)
        sums[row * width + j] = (sums[row * width + j] as number) + (vectors[i * width + j] as number);
    }
    for (let row = 0; row < count; row++) {
      const size = members[row] as number;
      if (size === 0) startAnew(row);
      else for (let j = 0; j < width; j++) rows[row * width + j] = (sums[row * width + j] as number) / size;
    }
  }
  assign(vectors, rows, { codes, count: total, width });
  return { rows, codes };
}

/** The nearest row of each vector: |v − r|² is smallest where |r|²/2 − v·r is. */
function assign(
  vectors: Float32Array,
  rows: Float32Array,
  { codes, count, width }: { readonly codes: Uint8Array; readonly count: number; readonly width: number },
): void {
  const half = new Float64Array(rows.length / width);
  for (let i = 0; i < rows.length; i++) {
    const row = Math.floor(i / width);
    half[row] = (half[row] as number) + (rows[i] as number) ** 2 / 2;
  }
  for (let i = 0; i < count; i++) {
    const start = i * width;
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let row = 0; row < half.length; row++) {
      let distance = half[row] as number;
      for (let j = 0; j < width; j++)
        distance -= (vectors[start + j] as number) * (rows[row * width + j] as number);
      if (distance < least) {
        least = distance;
        best = row;
      }
    }
    codes[i] = best;
  }
}
