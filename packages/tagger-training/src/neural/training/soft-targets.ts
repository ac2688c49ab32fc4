import { noLabel, placeOf, TaggerError } from "@nasty/taggers";
import { mixWords } from "@nasty/training";
import type { TrainingSentence } from "./training-sentence.js";

/** What teachers think of every word of the training sentences, for a student to learn beside the right labels. */
export interface SoftTargets {
  /** Labels in the order of the targets; they become the tagger's. */
  readonly labels: readonly string[];
  /**
   * For each training sentence float32 [words · labels], row-major: scores whose softmax at `temperature` is the
   * target, as `teacherTargets` gives them.
   */
  readonly targets: readonly Float32Array[];
  /**
   * For each training sentence float32 [(words − 1) · labels · labels]: the probability of each label of a word with
   * each one of the word behind it. Scores of label sequences learn from them; at temperature 1 only.
   */
  readonly pairs?: readonly Float32Array[] | undefined;
  /** T in α·T²·KL(softmax(targets/T) ‖ softmax(logits/T)). */
  readonly temperature: number;
  /** α; the cross-entropy of the right labels has the weight 1 − α. */
  readonly alpha: number;
}

/**
 * Checks that there is one row of targets a word, and that the sentences' labels are among them.
 *
 * @throws TaggerError `option`, `misaligned`, `unknown-label` with the word's place.
 */
export function checkSoftTargets(sentences: readonly TrainingSentence[], soft: SoftTargets): void {
  const { labels, targets, pairs, temperature, alpha } = soft;
  const option = (name: string, expected: string, got: number): TaggerError =>
    new TaggerError("option", `trainTagger: soft: ${name}: expected ${expected}, got ${got}`, { name });
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw option("temperature", "a positive number", temperature);
  if (!(alpha >= 0 && alpha <= 1)) throw option("alpha", "a number in [0, 1]", alpha);
  if (targets.length !== sentences.length) {
    throw new TaggerError(
      "misaligned",
      `trainTagger: soft: targets: expected ${sentences.length} (one a sentence), got ${targets.length}`,
    );
  }
  if (pairs !== undefined && temperature !== 1)
    throw option("temperature", "1 with scores of label sequences", temperature);
  if (pairs !== undefined && pairs.length !== sentences.length) {
    throw new TaggerError(
      "misaligned",
      `trainTagger: soft: pairs: expected ${sentences.length} (one a sentence), got ${pairs.length}`,
    );
  }
  const known = new Set([...labels, noLabel]);
  sentences.forEach((sentence, i) => {
    const { length } = sentence.words;
    const check = (name: string, size: string, expected: number, got: number | undefined): void => {
      if (got === expected) return;
      const { text, line } = placeOf(sentence, i, 0);
      throw new TaggerError(
        "misaligned",
        `trainTagger: soft: ${text}: ${name}: expected ${expected} (${size}), got ${got}`,
        { line },
      );
    };
    check("targets", "words × labels", length * labels.length, targets[i]?.length);
    if (pairs !== undefined) {
      const expected = Math.max(0, length - 1) * labels.length ** 2;
      check("pairs", "words but one × labels × labels", expected, pairs[i]?.length);
    }
    const word = sentence.labels.findIndex((label) => !known.has(label));
    if (word < 0) return;
    const { text, line } = placeOf(sentence, i, word);
    const name = sentence.labels[word] as string;
    throw new TaggerError(
      "unknown-label",
      `trainTagger: train: ${text}: label: expected one of the targets' (${labels.join(", ")}), got ${JSON.stringify(name)}`,
      { name, line },
    );
  });
}

/**
 * What a sentence should have where label sequences have scores: α of what teachers think and 1 − α of the right
 * labels, of which -100 is none; teachers alone for a word without one.
 */
export function expectedLabels(
  { labels, alpha }: Pick<SoftTargets, "labels" | "alpha">,
  { targets, pairs, right }: { targets: Float32Array; pairs: Float32Array; right: Int32Array },
): { targets: Float32Array; pairs: Float32Array } {
  const count = labels.length;
  const known = (word: number): number | undefined => {
    const label = right[word];
    return label === undefined || label < 0 ? undefined : label;
  };
  const words = Float32Array.from(targets, (score) => Math.exp(score));
  const joint = Float32Array.from(pairs);
  const mix = (values: Float32Array, from: number, to: number, place: number): void => {
    for (let i = from; i < to; i++) values[i] = alpha * (values[i] as number);
    values[from + place] = (values[from + place] as number) + 1 - alpha;
  };
  right.forEach((_, word) => {
    const [label, next] = [known(word), known(word + 1)];
    if (label === undefined) return;
    mix(words, word * count, (word + 1) * count, label);
    if (next !== undefined)
      mix(joint, word * count * count, (word + 1) * count * count, label * count + next);
  });
  return { targets: words, pairs: joint };
}

/** A number that tells these targets from others in checkpoints. */
export function hashTargets(targets: readonly Float32Array[]): number {
  let hash = 0;
  for (const target of targets) {
    const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
    for (const word of bits) hash = mixWords(hash, word);
  }
  return hash;
}
