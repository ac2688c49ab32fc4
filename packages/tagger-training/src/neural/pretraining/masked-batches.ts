import { tensor } from "@nasty/core";
import { makeWordFeatures, makeWordStore } from "@nasty/taggers/neural";
import type { Batch, Random } from "@nasty/training";
import { batchesOf, type BatchSize, shuffledBatches } from "../training/batches-of-like-length.js";
import { encodeWords, type WordEncoding } from "../training/encode-words.js";
import { type BatchSource, labelsInput } from "../training/training-batches.js";
import { maskedInputs, maskedOutput } from "./pretraining-model.js";
import type { TargetWords } from "./target-words.js";

export interface MaskedBatchOptions extends BatchSize, Omit<WordEncoding, "store" | "random"> {
  readonly sentences: readonly (readonly string[])[];
  readonly targets: TargetWords;
  /** Share of the words that are predicted. */
  readonly maskedShare: number;
  /** Draws of words for comparison, for each batch. */
  readonly negatives: number;
}

/**
 * Stands where a word is hidden: it has neither letters nor an entry in the vocabulary, and no word of a text is like
 * it.
 */
const hiddenWord = "";

/**
 * Of the words to predict so many are hidden, and so many are another word of the text; the others stay, so that the
 * encoder has to say something of words that it sees.
 *
 * Source: J. Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding" (2019),
 * 3.1.
 */
const HIDDEN_SHARE = 0.8;
const OTHER_SHARE = 0.1;

interface Masked {
  /** Place of the sentence in its batch, and of the word in the sentence. */
  readonly sentence: number;
  readonly word: number;
  readonly target: number;
}

/**
 * Hands out sentences with some of their words hidden, and what is to be predicted of them: each hidden word is
 * compared with all words that are hidden in the batch and with some that are drawn at random (a sampled softmax). The
 * score of a candidate is lowered by the logarithm of the probability that it is one.
 *
 * Source of the correction: S. Jean et al., "On Using Very Large Target Vocabulary for Neural Machine Translation"
 * (2015), 3.1.
 */
export function maskedBatches(options: MaskedBatchOptions): BatchSource {
  const { features, targets, maskedShare } = options;
  const sentences = options.sentences.map((words) => ({ words }));
  const store = makeWordStore(makeWordFeatures(features));
  const words = sentences.reduce((sum, sentence) => sum + sentence.words.length, 0);
  return {
    batchesPerEpoch: batchesOf({ sentences: sentences.length, words }, options),
    *epoch(random) {
      for (const batch of shuffledBatches(sentences, options, random)) {
        const masked = batch.flatMap((sentence, at) =>
          sentence.words.flatMap((form, word): Masked[] => {
            const target = targets.placeOf(form.toLowerCase());
            return target === undefined || random.uniform() >= maskedShare
              ? []
              : [{ sentence: at, word, target }];
          }),
        );
        if (masked.length === 0) continue;
        const shown = batch.map((sentence) => [...sentence.words]);
        for (const { sentence, word } of masked) {
          const dice = random.uniform();
          const row = shown[sentence] as string[];
          if (dice < HIDDEN_SHARE) row[word] = hiddenWord;
          else if (dice < HIDDEN_SHARE + OTHER_SHARE) row[word] = anyWord(sentences, random);
        }
        yield encode(shown, masked, { ...options, store, random });
      }
    },
  };
}

function anyWord(sentences: readonly { readonly words: readonly string[] }[], random: Random): string {
  const { words } = sentences[random.below(sentences.length)] as { readonly words: readonly string[] };
  return words[random.below(words.length)] as string;
}

function encode(
  shown: readonly (readonly string[])[],
  masked: readonly Masked[],
  options: MaskedBatchOptions & WordEncoding,
): Batch {
  const { targets, negatives, random, layout } = options;
  const { feeds, starts, mask } = encodeWords(shown, options);
  const [rows = 0, length = 0] = mask.shape;
  const places = masked.map(({ sentence, word }) => {
    const place = (starts[sentence] as number) + word;
    // A two-way LSTM's context has the sentences side by side.
    return layout === "rows" ? (place % length) * rows + Math.floor(place / length) : place;
  });
  const numbers = new Map<number, number>();
  const add = (word: number): number => {
    const known = numbers.get(word);
    if (known !== undefined) return known;
    numbers.set(word, numbers.size);
    return numbers.size - 1;
  };
  const labels = masked.map(({ target }) => add(target));
  for (let i = 0; i < negatives; i++) add(targets.draw(random));
  const candidates = Int32Array.from(numbers.keys());
  const offsets = Float32Array.from(candidates, (word) => -Math.log(chanceOf(word, masked.length, options)));
  return {
    ...feeds,
    [maskedInputs.places]: tensor("int32", [places.length], Int32Array.from(places)),
    [maskedInputs.candidates]: tensor("int32", [candidates.length], candidates),
    [maskedInputs.offsets]: tensor("float32", [1, candidates.length], offsets),
    [labelsInput(maskedOutput)]: tensor("int64", [labels.length], BigInt64Array.from(labels, BigInt)),
  };
}

/** Probability that a word is a candidate: hidden at one of the places, which follow the text, or drawn. */
function chanceOf(
  word: number,
  hidden: number,
  { targets, negatives }: Pick<MaskedBatchOptions, "targets" | "negatives">,
): number {
  const missed =
    hidden * Math.log1p(-(targets.shares[word] as number)) +
    negatives * Math.log1p(-(targets.drawn[word] as number));
  return -Math.expm1(missed);
}
