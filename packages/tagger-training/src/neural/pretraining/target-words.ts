import type { Random } from "@nasty/training";

/** Words that an encoder learns to predict. */
export interface TargetWords {
  /** Place of a lower-cased word, undefined for one that is not predicted. */
  placeOf(word: string): number | undefined;
  readonly size: number;
  /** Share of each word in the text, of those that are predicted. */
  readonly shares: Float64Array;
  /** A word for comparison, by its share to the power {@link FLATTENING}. */
  draw(random: Random): number;
  /** Probability that one draw gives a word. */
  readonly drawn: Float64Array;
}

/**
 * Negatives are drawn by frequency to this power, so that rare words are met too.
 *
 * Source: T. Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality" (2013), 2.2.
 */
const FLATTENING = 0.75;

/** A word that the text has once is predicted from one place alone. */
const LEAST_COUNT = 2;

/**
 * The most frequent words of a text, at most `limit`, in the order of their frequency (equal ones by UTF-16 code
 * units).
 *
 * @param counts occurrences of lower-cased words
 */
export function targetWords(counts: ReadonlyMap<string, number>, limit: number): TargetWords {
  const chosen = [...counts]
    .filter(([, count]) => count >= LEAST_COUNT)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, limit);
  const places = new Map(chosen.map(([word], place) => [word, place]));
  const shares = shared(Float64Array.from(chosen, ([, count]) => count));
  const drawn = shared(Float64Array.from(chosen, ([, count]) => count ** FLATTENING));
  const upTo = new Float64Array(drawn.length);
  let sum = 0;
  drawn.forEach((probability, place) => (upTo[place] = sum += probability));
  return {
    placeOf: (word) => places.get(word),
    size: chosen.length,
    shares,
    drawn,
    draw(random) {
      const at = random.uniform() * sum;
      let [low, high] = [0, upTo.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((upTo[middle] as number) > at) high = middle;
        else low = middle + 1;
      }
      return low;
    },
  };
}

/** The numbers over their sum. */
function shared(numbers: Float64Array): Float64Array {
  const sum = numbers.reduce((total, number) => total + number, 0);
  return numbers.map((number) => number / sum);
}
