import type { Histogram } from "./histogram.js";
import type { RangeSearch } from "./histogram-observer.js";

export interface EntropyOptions {
  /** Quantization levels. Default 255: those of a symmetric int8. */
  readonly levels?: number;
}

/** What an empty bin counts for, so that the divergence stays finite. */
const epsilon = 1e-4;

/** Candidates tried at most; a histogram that grew is searched in larger steps. */
const maximumCandidates = 1024;

/** Sums of the first i bins: counts, counts that are not zero, c·ln c, and ln c. */
interface Prefix {
  readonly mass: Float64Array;
  readonly filled: Float64Array;
  readonly entropy: Float64Array;
  readonly logs: Float64Array;
}

const prefixSums = (counts: Float64Array): Prefix => {
  const size = counts.length + 1;
  const mass = new Float64Array(size);
  const filled = new Float64Array(size);
  const entropy = new Float64Array(size);
  const logs = new Float64Array(size);
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number;
    const log = count > 0 ? Math.log(count) : 0;
    mass[i + 1] = (mass[i] as number) + count;
    filled[i + 1] = (filled[i] as number) + (count > 0 ? 1 : 0);
    entropy[i + 1] = (entropy[i] as number) + count * log;
    logs[i + 1] = (logs[i] as number) + log;
  }
  return { mass, filled, entropy, logs };
};

const between = (sums: Float64Array, from: number, to: number): number =>
  (sums[to] as number) - (sums[from] as number);

/** What c·ln c of an end bin grows by when the mass outside is added to it. */
const endTerm = (own: number, outside: number): number => {
  const sum = own + outside;
  return (sum > 0 ? sum * Math.log(sum) : 0) - (own > 0 ? own * Math.log(own) : 0);
};

/**
 * KL(p‖q) of one candidate slice [start, end), up to smoothing terms of order ε².
 *
 * p is the slice with everything outside added to its end bins. q spreads each of `levels` groups' own mass evenly over
 * the bins of p that are not empty. Empty bins of p get ε, taken evenly (`taken` each) from the others; likewise in q.
 * With P = Q-independent sums from `prefix`, a group costs O(1): Σ p ln p − Σ p · ln q.
 */
const divergence = (
  { counts, prefix, levels }: { counts: Float64Array; prefix: Prefix; levels: number },
  start: number,
  end: number,
): number => {
  const size = end - start;
  const left = prefix.mass[start] as number;
  const right = between(prefix.mass, end, counts.length);
  const first = counts[start] as number;
  const last = counts[end - 1] as number;
  const firstFilled = first + left > 0;
  const lastFilled = last + right > 0;
  const filled =
    between(prefix.filled, start, end) +
    (first === 0 && firstFilled ? 1 : 0) +
    (last === 0 && lastFilled ? 1 : 0);
  if (filled === 0) return Number.POSITIVE_INFINITY;
  const takenP = (epsilon * (size - filled)) / filled;

  const merge = Math.floor(size / levels);
  let cross = 0;
  let massP = 0;
  let massQ = 0;
  for (let group = 0; group < levels; group++) {
    const from = start + group * merge;
    const to = group === levels - 1 ? end : from + merge;
    const own = between(prefix.mass, from, to);
    let inGroup = between(prefix.filled, from, to);
    let p = own;
    if (from === start) {
      p += left;
      if (first === 0 && firstFilled) inGroup++;
    }
    if (to === end) {
      p += right;
      if (last === 0 && lastFilled) inGroup++;
    }
    if (inGroup === 0) continue;
    // A group whose only mass came from outside has nothing to represent it with.
    const level = own > 0 ? own / inGroup - takenP : epsilon;
    if (level <= 0) return Number.POSITIVE_INFINITY;
    const smoothed = p - takenP * inGroup;
    cross += smoothed * Math.log(level);
    massP += smoothed;
    massQ += level * inGroup;
  }

  const entropy =
    between(prefix.entropy, start, end) +
    endTerm(first, left) +
    endTerm(last, right) -
    // d(p ln p) = (ln p + 1) dp, with dp = −taken at each bin that is not empty.
    takenP * (between(prefix.logs, start, end) + filled);
  const empties = epsilon * (size - filled);
  massP += empties;
  massQ += empties;
  // Empty bins hold ε on both sides, so they cancel but for the normalisation.
  return (entropy - cross) / massP + Math.log(massQ / massP);
};

/**
 * The range [−T, T] whose quantized histogram diverges least from the original (entropy calibration).
 *
 * For each width from `levels` bins upwards: p is the slice with the outliers' mass in its end bins, q the slice's own
 * mass merged into `levels` groups and spread again; the smallest KL(p‖q) wins, the narrower range on a tie. With
 * prefix sums a candidate costs O(levels).
 *
 * Source: S. Migacz, 8-bit inference with TensorRT (GTC 2017), with the smoothing of Apache MXNet's quantizer.
 */
export const entropySearch =
  ({ levels = 255 }: EntropyOptions = {}): RangeSearch =>
  ({ counts, stride, limit }: Histogram) => {
    const prefix = prefixSums(counts);
    const middle = counts.length / 2;
    const narrowest = Math.ceil(levels / 2);
    if (middle <= narrowest) return { min: -limit, max: limit };
    const step = Math.max(1, Math.ceil((middle - narrowest) / maximumCandidates));
    let best = middle;
    let smallest = Number.POSITIVE_INFINITY;
    for (let half = narrowest; half <= middle; half += step) {
      const found = divergence({ counts, prefix, levels }, middle - half, middle + half);
      if (found < smallest) {
        smallest = found;
        best = half;
      }
    }
    return { min: -best * stride, max: best * stride };
  };
