import type { ChainScores, Scores } from "@nasty/taggers/neural";

/**
 * Probability of each label of each word under a chain of labels: p(yᵢ = y) of p(y₁…yₙ) ∝ exp(score / T), by the
 * forward-backward algorithm in logarithms.
 *
 * @returns float64 [length · labels], row-major; a label that no allowed sequence has at a word gets 0
 * @see L. Rabiner, "A Tutorial on Hidden Markov Models" (1989), equations 18 to 27, with potentials in place of
 *   probabilities
 */
export function chainMarginals(
  { data, start, length }: Scores,
  { transitions, start: first, end }: ChainScores,
  temperature: number,
): Float64Array {
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
  const out = new Float64Array(length * labels);
  for (let word = 0; word < length; word++) {
    for (let label = 0; label < labels; label++)
      terms[label] = (forward[word * labels + label] as number) + (backward[word * labels + label] as number);
    const total = logSumExp(terms);
    for (let label = 0; label < labels; label++)
      out[word * labels + label] = Math.exp((terms[label] as number) - total);
  }
  return out;
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
