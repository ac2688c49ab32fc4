import { allowedTransitions, type LabelForm } from "@nasty/formats/iob";
import { TaggerError } from "../tagger-error.js";
import type { Labelling } from "../task.js";

/** Scores of label sequences beside those of single labels. */
export interface ChainScores {
  /** [from, to]; −∞ where a label cannot follow. */
  readonly transitions: Float32Array;
  readonly start: Float32Array;
  readonly end: Float32Array;
}

/** Scores of one sentence in an array of many: `length` words of `labels` scores each, from `start` on. */
export interface Scores {
  readonly data: Float32Array;
  readonly start: number;
  readonly length: number;
}

/** Best labels of a sentence. */
export type Decoder = (scores: Scores, labels: number) => Int32Array;

/**
 * Index of the largest of `count` numbers from `start` on; the first of equals.
 *
 * @throws TaggerError `output` if the largest is NaN (a model that computes NaN must not look like one that tags).
 */
export function argmax(data: Float32Array, start: number, count: number): number {
  let best = 0;
  let bestValue = data[start] as number;
  for (let i = 1; i < count; i++) {
    const value = data[start + i] as number;
    if (value > bestValue) {
      best = i;
      bestValue = value;
    }
  }
  if (Number.isNaN(bestValue)) {
    throw new TaggerError("output", "tag: model: logits: expected numbers, got NaN");
  }
  return best;
}

/** The best label of each word by itself. */
export const decodeSingly: Decoder = ({ data, start, length }, labels) => {
  const best = new Int32Array(length);
  for (let i = 0; i < length; i++) best[i] = argmax(data, start + i * labels, labels);
  return best;
};

/**
 * Decodes the best label sequence: max over y of start[y₁] + Σ score[i, yᵢ] + Σ transitions[yᵢ, yᵢ₊₁] + end[yₙ].
 *
 * Source: A. Viterbi (1967); of equal sequences the one with the first label at the last difference.
 */
export function chainDecoder({ transitions, start: first, end }: ChainScores): Decoder {
  return ({ data, start, length }, labels) => {
    const best = new Int32Array(length);
    if (length === 0) return best;
    const from = new Int32Array(length * labels);
    let current = Float64Array.from(
      { length: labels },
      (_, label) => at(data, start + label) + at(first, label),
    );
    let next = new Float64Array(labels);
    for (let i = 1; i < length; i++) {
      for (let to = 0; to < labels; to++) {
        let bestFrom = 0;
        let bestScore = Number.NEGATIVE_INFINITY;
        for (let label = 0; label < labels; label++) {
          const score = at(current, label) + at(transitions, label * labels + to);
          if (score > bestScore) {
            bestScore = score;
            bestFrom = label;
          }
        }
        from[i * labels + to] = bestFrom;
        next[to] = bestScore + at(data, start + i * labels + to);
      }
      [current, next] = [next, current];
    }
    let label = largest(current, end);
    for (let i = length - 1; i >= 0; i--) {
      best[i] = label;
      label = from[i * labels + label] as number;
    }
    return best;
  };
}

function largest(scores: Float64Array, end: Float32Array): number {
  let best = 0;
  for (let label = 1; label < scores.length; label++) {
    if (at(scores, label) + at(end, label) > at(scores, best) + at(end, best)) best = label;
  }
  if (!Number.isNaN(scores[best])) return best;
  throw new TaggerError("output", "tag: model: logits: expected numbers, got NaN");
}

const at = (values: Float32Array | Float64Array, index: number): number => values[index] as number;

/** A chain that allows everything. */
export function freeChain(labels: number): ChainScores {
  return {
    transitions: new Float32Array(labels * labels),
    start: new Float32Array(labels),
    end: new Float32Array(labels),
  };
}

/**
 * Forbids what the scheme of the labels forbids, see `allowedTransitions` of @nasty/formats/iob.
 */
export function constrainChain(
  chain: ChainScores,
  labels: readonly string[],
  form: LabelForm | undefined,
): ChainScores {
  if (form === undefined) return chain;
  const allowed = allowedTransitions(labels, form);
  const within = (scores: Float32Array, allow: Uint8Array): Float32Array =>
    scores.map((score, i) => (allow[i] === 1 ? score : Number.NEGATIVE_INFINITY));
  return {
    transitions: within(chain.transitions, allowed.follow),
    start: within(chain.start, allowed.begin),
    end: within(chain.end, allowed.end),
  };
}

/**
 * The decoder of a task: single best labels, or the best sequence where a chain is given or the scheme of the labels
 * forbids some.
 */
export function decoderOf(
  { task, form }: Pick<Labelling, "task" | "form">,
  labels: readonly string[],
  chain: ChainScores | undefined,
): Decoder {
  if (task === "ner") return chainDecoder(constrainChain(chain ?? freeChain(labels.length), labels, form));
  return chain === undefined ? decodeSingly : chainDecoder(chain);
}
