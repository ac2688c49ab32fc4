import { cosineOf } from "./bootstrap.js";

/** Differences of cosines that float32 does not tell from none. */
const tie = 1e-6;

/**
 * The nearest others of each vector by cosine, nearest first; of equally near ones the first.
 *
 * @param k how many, at most as many as there are others
 */
export function nearest(vectors: readonly Float32Array[], k: number): readonly Int32Array[] {
  const units = vectors.map(unit);
  const near = new Float64Array(units.length);
  return units.map((own, i) => {
    units.forEach((other, j) => {
      near[j] = i === j ? Number.NEGATIVE_INFINITY : dot(own, other);
    });
    const order = Int32Array.from(near, (_, j) => j).sort(
      (a, b) => (near[b] as number) - (near[a] as number) || a - b,
    );
    return order.slice(0, Math.min(k, Math.max(0, units.length - 1)));
  });
}

/**
 * Share of each vector's neighbours that are found again; one that is as near as the farthest of them counts as one.
 *
 * @param were neighbours by `vectors`
 * @param are neighbours by the vectors of another model
 */
export function recalls(
  vectors: readonly Float32Array[],
  were: readonly Int32Array[],
  are: readonly Int32Array[],
): Float64Array {
  return Float64Array.from(were, (wanted, i) => {
    const last = wanted.at(-1);
    if (last === undefined) return 1;
    const own = vectors[i] as Float32Array;
    const least = cosineOf(own, vectors[last] as Float32Array) - tie;
    const isWanted = new Set(wanted);
    const found = (are[i] ?? new Int32Array()).filter(
      (j) => isWanted.has(j) || cosineOf(own, vectors[j] as Float32Array) >= least,
    );
    return found.length / wanted.length;
  });
}

function unit(vector: Float32Array): Float64Array {
  const wide = Float64Array.from(vector);
  const length = Math.sqrt(dot(wide, wide));
  return length === 0 ? wide : wide.map((x) => x / length);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
