import type { ChainScores, Scores } from "@nasty/taggers/neural";

/** Probabilities of labels of a sentence, row-major; what no allowed sequence has gets 0. */
export interface Marginals {
  /** Of each label of each word: float64 [length · labels]. */
  readonly words: Float64Array;
  /** Of each label of a word and each one of the word behind it: float64 [(length − 1) · labels · labels]. */
  readonly pairs: Float64Array | undefined;
}

interface MarginalOptions {
  readonly temperature: number;
  /** Whether pairs are wanted. */
  readonly pairs?: boolean;
}

/** Labels that know nothing of each other: p(yᵢ = y) = softmax(scores / T). */
export function freeMarginals(
  { data, start, length }: Scores,
  labels: number,
  { temperature, pairs = false }: MarginalOptions,
): Marginals {
  const words = new Float64Array(length * labels);
  for (let at = 0; at < words.length; at += labels) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let i = at; i < at + labels; i++) highest = Math.max(highest, data[start + i] as number);
    let total = 0;
    for (let i = at; i < at + labels; i++) {
      const share = Math.exp(((data[start + i] as number) - highest) / temperature);
      words[i] = share;
      total += share;
    }
    for (let i = at; i < at + labels; i++) words[i] = (words[i] as number) / total;
  }
  return { words, pairs: pairs ? pairsOfFree(words, labels) : undefined };
}

function pairsOfFree(words: Float64Array, labels: number): Float64Array {
  const pairs = new Float64Array(Math.max(0, words.length - labels) * labels);
  for (let i = 0; i < words.length - labels; i++) {
    const next = (Math.floor(i / labels) + 1) * labels;
    for (let to = 0; to < labels; to++)
      pairs[i * labels + to] = (words[i] as number) * (words[next + to] as number);
  }
  return pairs;
}

/**
 * Probability of each label of each word under a chain of labels: p(yᵢ = y) of p(y₁…yₙ) ∝ exp(score / T), by the
 * forward-backward algorithm in logarithms.
 *
 * @see L. Rabiner, "A Tutorial on Hidden Markov Models" (1989), equations 18 to 27, with potentials in place of
 *   probabilities
 */
export function chainMarginals(
  { data, start, length }: Scores,
  { transitions, start: first, end }: ChainScores,
  { temperature, pairs = false }: MarginalOptions,
): Marginals {
  const labels = first.length;
  const forward = new Float64Array(length * labels);
  const backward = new Float64Array(length * labels);
  const terms = new Float64Array(labels);
  const emission = (word: number, label: number): number =>
    (data[start + word * labels + label] as number) / temperature;
  const transition = (from: number, to: number): number =>
    (transitions[from * labels + to] as number) / temperature;

  for (let word = 0; word < length; word++) {
    for (let to = 0; to < labels; to++) {
      let before = (first[to] as number) / temperature;
      if (word > 0) {
        for (let from = 0; from < labels; from++)
          terms[from] = (forward[(word - 1) * labels + from] as number) + transition(from, to);
        before = logSumExp(terms);
      }
      forward[word * labels + to] = before + emission(word, to);
    }
  }
  for (let word = length - 1; word >= 0; word--) {
    for (let from = 0; from < labels; from++) {
      let after = (end[from] as number) / temperature;
      if (word < length - 1) {
        for (let to = 0; to < labels; to++)
          terms[to] =
            transition(from, to) + emission(word + 1, to) + (backward[(word + 1) * labels + to] as number);
        after = logSumExp(terms);
      }
      backward[word * labels + from] = after;
    }
  }
  const words = new Float64Array(length * labels);
  for (let word = 0; word < length; word++) {
    for (let label = 0; label < labels; label++)
      terms[label] = (forward[word * labels + label] as number) + (backward[word * labels + label] as number);
    const total = logSumExp(terms);
    for (let label = 0; label < labels; label++)
      words[word * labels + label] = Math.exp((terms[label] as number) - total);
  }
  if (!pairs) return { words, pairs: undefined };
  const joint = new Float64Array(Math.max(0, length - 1) * labels * labels);
  const cells = new Float64Array(labels * labels);
  for (let word = 0; word < length - 1; word++) {
    for (let from = 0; from < labels; from++) {
      for (let to = 0; to < labels; to++)
        cells[from * labels + to] =
          (forward[word * labels + from] as number) +
          transition(from, to) +
          emission(word + 1, to) +
          (backward[(word + 1) * labels + to] as number);
    }
    const total = logSumExp(cells);
    const at = word * cells.length;
    for (let i = 0; i < cells.length; i++) joint[at + i] = Math.exp((cells[i] as number) - total);
  }
  return { words, pairs: joint };
}

/** −∞ if all terms are. */
function logSumExp(terms: Float64Array): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const term of terms) highest = Math.max(highest, term);
  if (highest === Number.NEGATIVE_INFINITY) return highest;
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - highest);
  return highest + Math.log(sum);
}
