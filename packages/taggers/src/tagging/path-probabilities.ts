import type { ChainScores, Scores } from "./decode.js";

/**
 * The marginal probability of each label of a sequence in a linear-chain conditional random field:
 * p(yᵢ = y) = exp(αᵢ(y) + βᵢ(y)) / Z, summed over all label sequences that the chain allows.
 *
 * α and β are the logarithms of the sums over what may stand before and behind a word (forward and backward algorithm).
 *
 * @param path the label of each word
 * @param chain as the sequence was decoded: −∞ where a label cannot follow
 * @returns one probability a word; 0 for all where the chain allows no sequence
 * @see J. Lafferty, A. McCallum, F. Pereira (2001), Conditional Random Fields
 */
export function pathProbabilities(
  { data, start, length }: Scores,
  path: Int32Array,
  { transitions, start: first, end }: ChainScores,
): Float64Array {
  const labels = first.length;
  const probabilities = new Float64Array(length);
  if (length === 0) return probabilities;
  const score = (word: number, label: number): number => data[start + word * labels + label] as number;
  const terms = new Float64Array(labels);

  const forward = new Float64Array(length * labels);
  for (let label = 0; label < labels; label++) forward[label] = at(first, label) + score(0, label);
  for (let word = 1; word < length; word++) {
    const before = (word - 1) * labels;
    for (let to = 0; to < labels; to++) {
      for (let from = 0; from < labels; from++) {
        terms[from] = at(forward, before + from) + at(transitions, from * labels + to);
      }
      forward[word * labels + to] = logSum(terms) + score(word, to);
    }
  }

  let backward = Float64Array.from(end);
  let next = new Float64Array(labels);
  const last = (length - 1) * labels;
  for (let label = 0; label < labels; label++) terms[label] = at(forward, last + label) + at(end, label);
  const total = logSum(terms);
  if (total === Number.NEGATIVE_INFINITY) return probabilities;
  for (let word = length - 1; word >= 0; word--) {
    const label = path[word] as number;
    const share = Math.exp(at(forward, word * labels + label) + at(backward, label) - total);
    // Rounding may leave it a little above 1.
    probabilities[word] = share > 1 ? 1 : share;
    if (word === 0) break;
    for (let from = 0; from < labels; from++) {
      for (let to = 0; to < labels; to++) {
        terms[to] = at(transitions, from * labels + to) + score(word, to) + at(backward, to);
      }
      next[from] = logSum(terms);
    }
    [backward, next] = [next, backward];
  }
  return probabilities;
}

/** log Σ exp(termᵢ), of which none overflows. */
function logSum(terms: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const term of terms) if (!(term <= largest)) largest = term;
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - largest);
  return largest + Math.log(sum);
}

const at = (values: Float32Array | Float64Array, index: number): number => values[index] as number;
