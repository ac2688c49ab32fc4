import { largestAt } from "@nasty/taggers/texts";
import { meanOf, percentileOf } from "./bootstrap.js";
import type { OutputAgreement } from "./kind.js";

/**
 * How alike two models' values of one output are, sample by sample.
 *
 * @param before one array a sample, of any lengths
 * @param after as many, of the same lengths
 * @param width numbers of a row along the last axis
 */
export function outputAgreement(
  name: string,
  before: readonly Float32Array[],
  after: readonly Float32Array[],
  width: number,
): OutputAgreement {
  const meter = outputMeter(name, width);
  before.forEach((values, i) => meter.add(values, after[i] ?? new Float32Array()));
  return meter.figures();
}

/** Collects how alike the values of an output are, without keeping them. */
export interface OutputMeter {
  /** One sample's values; returns whether all rows have their largest number at the same place. */
  add(before: Float32Array, after: Float32Array): boolean;
  figures(): OutputAgreement;
  /** Cosine of each sample; one that has hardly any values beside the others is like another such. */
  cosines(): readonly number[];
}

/** What both models have infinite (a masked score) is left out; what only one has makes the cosine 0. */
export function outputMeter(name: string, width: number): OutputMeter {
  const products: Products[] = [];
  /** Energy that counts as none: a thousandth of what samples have on average. */
  const cosines = (): readonly number[] => {
    const least = quiet * meanOf(products.map(({ a2 }) => a2))();
    return products.map((one) => cosineAbove(one, least));
  };
  let [dot, a2, b2, largest, sum, count, rows, kept, isWhole] = [0, 0, 0, 0, 0, 0, 0, 0, true];
  let isSingle = true;
  return {
    cosines,
    add(before, after) {
      if (before.length !== after.length) isWhole = false;
      const [a, b] = bothFinite(before, after);
      if (b.some((x) => !Number.isFinite(x))) isWhole = false;
      const own = { ab: 0, a2: 0, b2: 0 };
      for (let i = 0; i < a.length; i++) {
        const [x, y] = [a[i] as number, b[i] as number];
        own.ab += x * y;
        own.a2 += x * x;
        own.b2 += y * y;
        const error = Math.abs(x - y);
        if (error > largest) largest = error;
        sum += error;
      }
      count += a.length;
      if (before.length > 1) isSingle = false;
      dot += own.ab;
      a2 += own.a2;
      b2 += own.b2;
      products.push(isWhole ? own : { ...own, ab: Number.NaN });
      if (width < 2) return true;
      const all = Math.floor(before.length / width);
      const same = sameRows(before, after, width);
      rows += all;
      kept += same;
      return same === all;
    },
    figures: () => ({
      name,
      cosine: !isWhole ? 0 : a2 === 0 && b2 === 0 ? 1 : a2 === 0 || b2 === 0 ? 0 : dot / Math.sqrt(a2 * b2),
      cosineMean: isSingle ? null : meanOf(cosines())(),
      cosineP01: isSingle ? null : percentileOf(cosines(), 0.01),
      top1: rows === 0 ? null : kept / rows,
      maxError: isWhole ? largest : Number.POSITIVE_INFINITY,
      meanError: count === 0 ? 0 : sum / count,
    }),
  };
}

/** Sums over the values of one sample: Σab, Σa², Σb². */
interface Products {
  readonly ab: number;
  readonly a2: number;
  readonly b2: number;
}

const quiet = 1e-3;

/** The cosine where there is energy; two samples with less than `least` are alike. */
function cosineAbove({ ab, a2, b2 }: Products, least: number): number {
  if (!Number.isFinite(ab)) return 0;
  const size = Math.sqrt((a2 + least) * (b2 + least));
  return size === 0 ? 1 : (ab + least) / size;
}

/** Rows along the last axis whose largest number is at the same place. */
function sameRows(before: Float32Array, after: Float32Array, width: number): number {
  let same = 0;
  for (let at = 0; at + width <= before.length; at += width) {
    if (largestAt(before.subarray(at, at + width)) === largestAt(after.subarray(at, at + width))) same++;
  }
  return same;
}

function bothFinite(a: Float32Array, b: Float32Array): readonly [Float32Array, Float32Array] {
  const isLeftOut = (i: number): boolean => !Number.isFinite(a[i]) && Object.is(a[i], b[i]);
  if (!a.some((_, i) => isLeftOut(i))) return [a, b];
  const kept = Array.from(a.keys()).filter((i) => !isLeftOut(i));
  return [Float32Array.from(kept, (i) => a[i] as number), Float32Array.from(kept, (i) => b[i] as number)];
}
