import { TaggerError } from "../tagger-error.js";
import { argmax } from "../transformer/logits.js";
import type { Task } from "../task.js";

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
 * Forbids what the chunk scheme of the labels (IOB2 or BIOES) forbids: `I-X` after anything but `B-X` and `I-X`, and with BIOES
 * also whatever leaves an entity open.
 */
export function constrainChain(chain: ChainScores, names: readonly string[]): ChainScores {
  const isBioes = names.some((name) => /^[ES]-/.test(name));
  const count = names.length;
  const transitions = Float32Array.from(chain.transitions);
  const start = Float32Array.from(chain.start);
  const end = Float32Array.from(chain.end);
  names.forEach((name, i) => {
    if (continues(name)) start[i] = Number.NEGATIVE_INFINITY;
    if (isBioes && opens(name)) end[i] = Number.NEGATIVE_INFINITY;
    names.forEach((following, j) => {
      const sameType = name.slice(2) === following.slice(2);
      const goesOn = isBioes ? opens(name) : /^[BI]-/.test(name);
      const orphan = continues(following) && !(goesOn && sameType);
      const unfinished = isBioes && opens(name) && !continues(following);
      if (orphan || unfinished) transitions[i * count + j] = Number.NEGATIVE_INFINITY;
    });
  });
  return { transitions, start, end };
}

const continues = (name: string): boolean => /^[IE]-/.test(name);
const opens = (name: string): boolean => /^[BI]-/.test(name);

/** The decoder of a task: single best labels, or the best sequence where a chain is given or chunk labels forbid some. */
export function decoderOf(task: Task, labels: readonly string[], chain: ChainScores | undefined): Decoder {
  if (task === "ner") return chainDecoder(constrainChain(chain ?? freeChain(labels.length), labels));
  return chain === undefined ? decodeSingly : chainDecoder(chain);
}
