import { TaggerError } from "../tagger-error.js";
import type { Aggregation, LabelChoices } from "../tagger.js";
import { argmax, type ChainScores, type Decoder, type Scores } from "./decode.js";
import { pathProbabilities } from "./path-probabilities.js";

/** Strategies whose unit is the subword; the others make one choice a word. */
export const choosesSubwords = (aggregation: Aggregation): boolean =>
  aggregation === "none" || aggregation === "simple";

/**
 * Scores of a word's subwords, one after the other: `count` rows of as many scores as there are labels, from `start`
 * on.
 */
export interface SubwordScores {
  readonly data: Float32Array;
  readonly start: number;
  readonly count: number;
}

/** Writes the choices for one word, from `at` on. */
export type Chooser = (scores: SubwordScores, into: LabelChoices, at: number) => void;

/**
 * What is chosen for a word of several subwords; p is the softmax of a subword's scores.
 *
 * - `none`, `simple`: for each subword its best label, with its p.
 * - `first`: the best label of the first subword, with its p.
 * - `max`: the best label of the subword whose best p is largest (the first of equals).
 * - `average`: the label whose mean p over the subwords is largest, with that mean.
 *
 * Source: the aggregation strategies of the token classification pipeline of Hugging Face transformers, decision 126.
 */
export function makeChooser(labels: number, aggregation: Aggregation): Chooser {
  switch (aggregation) {
    case "none":
    case "simple":
      return ({ data, start, count }, into, at) => {
        for (let i = 0; i < count; i++) choose(data, start + i * labels, labels, into, at + i);
      };
    case "first":
      return ({ data, start }, into, at) => choose(data, start, labels, into, at);
    case "max":
      return ({ data, start, count }, into, at) => {
        let [best, most] = [start, -1];
        for (let i = 0; i < count; i++) {
          const from = start + i * labels;
          const p = bestProbability(data, from, argmax(data, from, labels), labels);
          if (p > most) [best, most] = [from, p];
        }
        choose(data, best, labels, into, at);
      };
    case "average":
      return chooseAverage(labels);
    default:
      return aggregation satisfies never;
  }
}

function chooseAverage(labels: number): Chooser {
  const sums = new Float64Array(labels);
  return ({ data, start, count }, into, at) => {
    sums.fill(0);
    for (let i = 0; i < count; i++) {
      const from = start + i * labels;
      const best = argmax(data, from, labels);
      const largest = data[from + best] as number;
      const p = bestProbability(data, from, best, labels);
      for (let label = 0; label < labels; label++) {
        sums[label] = (sums[label] as number) + p * Math.exp((data[from + label] as number) - largest);
      }
    }
    let best = 0;
    for (let label = 1; label < labels; label++) {
      if ((sums[label] as number) > (sums[best] as number)) best = label;
    }
    into.labels[at] = best;
    into.probabilities[at] = (sums[best] as number) / count;
  };
}

function choose(data: Float32Array, start: number, labels: number, into: LabelChoices, at: number): void {
  const best = argmax(data, start, labels);
  into.labels[at] = best;
  into.probabilities[at] = bestProbability(data, start, best, labels);
}

/** softmax(scores)[best] = 1 / Σ exp(scoreᵢ − score of the best), which cannot overflow. */
function bestProbability(data: Float32Array, start: number, best: number, labels: number): number {
  const largest = data[start + best] as number;
  let sum = 0;
  for (let i = 0; i < labels; i++) sum += Math.exp((data[start + i] as number) - largest);
  return checked(1 / sum);
}

/** Infinite scores have no probabilities, and NaN must not look like one. */
function checked(probability: number): number {
  if (!Number.isNaN(probability)) return probability;
  throw new TaggerError("output", "entities: model: logits: expected finite numbers, got NaN or infinity");
}

/**
 * The choices for a sentence that is decoded as a whole, one a word.
 *
 * A label's probability is its marginal under the model's own scores of label sequences where it has some, see
 * {@link pathProbabilities}; otherwise the softmax of the word's scores.
 */
export function choicesOfPath(
  scores: Scores,
  labels: number,
  { decode, chain }: { readonly decode: Decoder; readonly chain: ChainScores | undefined },
): LabelChoices {
  const path = decode(scores, labels);
  if (chain !== undefined)
    return { labels: path, probabilities: pathProbabilities(scores, path, chain).map(checked) };
  const { data, start, length } = scores;
  const probabilities = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const from = start + i * labels;
    const best = argmax(data, from, labels);
    const behind = (data[from + best] as number) - (data[from + (path[i] as number)] as number);
    probabilities[i] = checked(bestProbability(data, from, best, labels) * Math.exp(-behind));
  }
  return { labels: path, probabilities };
}
