import type { LabelledSentence } from "@nasty/taggers";
import { always, cosineOf, meanOf, pairedLoss, percentileOf, spearmanOf } from "./bootstrap.js";
import { shownText } from "./class-verdict.js";
import type { Against, Verdict } from "./kind.js";
import { nearest, recalls } from "./neighbours.js";
import type { LabelledText } from "./text-samples.js";

/** What an encoder made of texts. */
export interface VectorVerdict extends Verdict {
  /** A vector of each text. */
  readonly vectors: readonly Float32Array[];
  /** A vector of each second text, where there are pairs. */
  readonly pairs: readonly (Float32Array | undefined)[];
}

/** Neighbours of a text that should stay its neighbours. */
const neighbours = 10;
/** Of more texts the rest is not looked at: distances are between all of them. */
const mostCompared = 2000;

/**
 * Judges the vectors of texts: Spearman's correlation of the cosines of pairs with their scores, where there are some;
 * against another model's the share of each text's ten nearest neighbours that stay.
 */
export function vectorVerdict(
  vectors: readonly Float32Array[],
  pairs: readonly (Float32Array | undefined)[],
  texts: readonly LabelledText[],
  reference: VectorVerdict | undefined,
): VectorVerdict {
  const scored = scoredPairs(texts);
  const cosines = (all: Pick<VectorVerdict, "vectors" | "pairs">): Float64Array =>
    Float64Array.from(scored, (i) => cosineOf(all.vectors[i] as Float32Array, all.pairs[i] as Float32Array));
  const gold = Float64Array.from(scored, (i) => goldOf(texts[i] as LabelledText) as number);
  const own = { vectors, pairs };
  const isScored = scored.length > 1;
  return {
    samples: texts.length,
    metric: isScored ? "spearman" : null,
    value: isScored ? spearmanOf(cosines(own), gold)() : Number.NaN,
    ...own,
    against: reference && againstOf(own, reference, texts, isScored ? { gold, cosines } : undefined),
  };
}

const goldOf = ({ score, label }: LabelledText): number | undefined => {
  if (score !== undefined) return score;
  const number = typeof label === "string" && label.trim() !== "" ? Number(label) : label;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
};

const scoredPairs = (texts: readonly LabelledText[]): readonly number[] =>
  texts.flatMap((text, i) => (text.pair !== undefined && goldOf(text) !== undefined ? [i] : []));

interface Scored {
  readonly gold: Float64Array;
  readonly cosines: (all: Pick<VectorVerdict, "vectors" | "pairs">) => Float64Array;
}

type Vectors = Pick<VectorVerdict, "vectors" | "pairs">;

function againstOf(
  after: Vectors,
  before: Vectors,
  texts: readonly LabelledText[],
  scored: Scored | undefined,
): Against {
  const all = (one: Vectors): readonly Float32Array[] =>
    [...one.vectors, ...one.pairs.filter((pair) => pair !== undefined)].slice(0, mostCompared);
  const names = [
    ...texts.map(({ text }) => shownText(text)),
    ...texts.flatMap(({ pair }) => (pair === undefined ? [] : [shownText(pair)])),
  ];
  const [from, to] = [all(before), all(after)];
  const cosines = from.map((vector, i) => cosineOf(vector, to[i] as Float32Array));
  const k = Math.max(1, Math.min(neighbours, from.length - 1));
  const [were, are] = [nearest(from, k), nearest(to, k)];
  const recall = recalls(from, were, are);
  const samples = recall.length;
  const mean = meanOf(recall);
  const shown = names.slice(0, samples);
  return {
    flips: were.flatMap((list, i) => {
      const [first, other] = [list[0], are[i]?.[0]];
      // Of two as near as each other either may come first.
      const isSame =
        first === undefined || other === undefined || first === other || shown[first] === shown[other];
      return isSame
        ? []
        : [{ sentence: i, word: 0, original: shown[first] as string, changed: shown[other] as string }];
    }),
    shown: shown.map((text): LabelledSentence => ({ words: [text], labels: [""] })),
    agreement: mean(),
    agreementOf: `recall@${k}`,
    figures: {
      cosineMean: meanOf(cosines)(),
      cosineP01: percentileOf(cosines, 0.01),
      recallAt10: mean(),
    },
    loss(seed) {
      if (scored === undefined) return { loss: Number.NaN, low: Number.NaN, high: Number.NaN };
      const { gold, cosines: of } = scored;
      return pairedLoss(spearmanOf(of(before), gold), spearmanOf(of(after), gold), {
        samples: gold.length,
        seed,
        isSlow: true,
      });
    },
    drift: (seed) => pairedLoss(always(1), mean, { samples, seed }),
  };
}
