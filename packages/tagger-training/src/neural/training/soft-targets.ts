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
  const { labels, targets, temperature, alpha } = soft;
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
  const known = new Set([...labels, noLabel]);
  sentences.forEach((sentence, i) => {
    const expected = sentence.words.length * labels.length;
    const got = targets[i]?.length;
    if (got !== expected) {
      const { text, line } = placeOf(sentence, i, 0);
      throw new TaggerError(
        "misaligned",
        `trainTagger: soft: ${text}: targets: expected ${expected} (words × labels), got ${got}`,
        { line },
      );
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

/** A number that tells these targets from others in checkpoints. */
export function hashTargets(targets: readonly Float32Array[]): number {
  let hash = 0;
  for (const target of targets) {
    const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
    for (const word of bits) hash = mixWords(hash, word);
  }
  return hash;
}
