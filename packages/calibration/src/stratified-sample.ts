import { uniformNumbers } from "@nasty/core";
import { CalibrationError } from "./calibration-error.js";

export interface StratifiedSampleOptions<T> {
  /** Items wanted; fewer come back if there are fewer. */
  readonly count: number;
  /** Length of an item: words of a sentence. */
  readonly lengthOf: (item: T) => number;
  /** The same seed and items give the same sample. Default 1. */
  readonly seed?: number;
}

interface Stratum<T> {
  seen: number;
  /** A uniform sample of what was seen, with each item's place in the stream. */
  readonly kept: { readonly place: number; readonly item: T }[];
}

/** Strata double in length: 1, 2, 3–4, 5–8, 9–16… */
const stratumOf = (length: number): number => (length <= 1 ? 0 : Math.ceil(Math.log2(length)));

/** Whole numbers in the proportion of `seen` that add up to `count`: largest remainders first, ties to the shorter. */
function shares(seen: readonly number[], count: number): number[] {
  const total = seen.reduce((sum, n) => sum + n, 0);
  const exact = seen.map((n) => (count * n) / total);
  const whole = exact.map(Math.floor);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - (whole[index] as number) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  let missing = count - whole.reduce((sum, n) => sum + n, 0);
  for (const { index } of byRemainder) {
    if (missing === 0) break;
    whole[index] = (whole[index] as number) + 1;
    missing--;
  }
  return whole;
}

/**
 * A seeded random sample of a stream in which lengths are as frequent as in the whole: ranges depend on length, and the
 * first sentences of a corpus are of one text.
 *
 * One pass; memory is that of `count` items for each doubling of the length. Within a stratum a reservoir is drawn
 * (Vitter 1985, algorithm R).
 *
 * @returns items in the order of the stream; all of them if there are no more than `count`
 * @throws CalibrationError `invalid-option` for a count that is no whole number of at least 1
 *
 * @example
 * ```ts
 * const sentences = await stratifiedSample(readSentences("news.conllu"), { count: 100, lengthOf: (words) => words.length });
 * ```
 */
export const stratifiedSample = async <T>(
  items: AsyncIterable<T> | Iterable<T>,
  { count, lengthOf, seed = 1 }: StratifiedSampleOptions<T>,
): Promise<T[]> => {
  if (!Number.isInteger(count) || count < 1) {
    throw new CalibrationError(
      "invalid-option",
      `calibrate: sample count: expected an integer of at least 1, got ${count}`,
    );
  }
  const random = uniformNumbers(seed);
  const strata = new Map<number, Stratum<T>>();
  let place = 0;
  for await (const item of items) {
    const key = stratumOf(lengthOf(item));
    const stratum = strata.get(key) ?? { seen: 0, kept: [] };
    strata.set(key, stratum);
    stratum.seen++;
    if (stratum.kept.length < count) stratum.kept.push({ place, item });
    else {
      const at = Math.floor(random() * stratum.seen);
      if (at < count) stratum.kept[at] = { place, item };
    }
    place++;
  }
  const ordered = [...strata].sort(([a], [b]) => a - b).map(([, stratum]) => stratum);
  const wanted =
    place <= count
      ? ordered.map(({ seen }) => seen)
      : shares(
          ordered.map(({ seen }) => seen),
          count,
        );
  const chosen = ordered.flatMap(({ kept }, index) => drawn(kept, wanted[index] as number, random));
  return chosen.sort((a, b) => a.place - b.place).map(({ item }) => item);
};

/** `count` of the items, uniformly: the first steps of a Fisher–Yates shuffle. */
function drawn<T>(items: readonly T[], count: number, random: () => number): T[] {
  const pool = [...items];
  const taken = Math.min(count, pool.length);
  for (let i = 0; i < taken; i++) {
    const j = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j] as T, pool[i] as T];
  }
  return pool.slice(0, taken);
}
