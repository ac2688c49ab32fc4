import type { BaseModel } from "../fine-tuning/base-model.js";
import {
  bertConfig,
  defaultTransformerSize,
  randomEncoder,
  type TransformerSize,
} from "../subwords/random-encoder.js";
import { defaultTransformerRecipe } from "../subwords/train-transformer.js";
import { trainVocabulary } from "../subwords/train-vocabulary.js";
import { wordPieceTokenizer } from "../subwords/word-piece-tokenizer.js";

export interface RandomTextBaseOptions {
  readonly size?: Partial<TransformerSize>;
  /** Of hidden values and attention. Default 0.1. */
  readonly dropout?: number;
  /** Default 1. */
  readonly seed?: number;
}

/**
 * A BERT encoder of random weights for running text, to be fine-tuned: what training starts from without a pretrained
 * model.
 *
 * The pieces of words are learned from the texts ({@link trainVocabulary}), in which punctuation is a word of its own.
 *
 * @param texts those that it will be trained on; both texts of a pair
 * @throws TaggerError `empty` without a character, `option`, `config` (a form that does not fit together).
 * @example
 * ```ts
 * const base = randomTextBase(train.map(({ text }) => text), { size: { layers: 2 } });
 * const { scores } = await fineTuneClassifier(base, { train, validation }, { epochs: 10, learningRate: 7e-4 });
 * ```
 */
export function randomTextBase(
  texts: Iterable<string>,
  { size: given, dropout = defaultTransformerRecipe.dropout, seed = 1 }: RandomTextBaseOptions = {},
): BaseModel {
  const size = { ...defaultTransformerSize, ...given };
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.normalize("NFC").matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const pieces = trainVocabulary(counts, { size: size.vocabulary });
  const config = bertConfig({ ...size, vocabulary: pieces.length }, dropout);
  return {
    model: randomEncoder(config, seed),
    config,
    ...wordPieceTokenizer(pieces, size.positions, "text"),
  };
}

/** As BERT cuts text: punctuation and Chinese characters stand alone, white space between words. */
const words = /[\p{P}$+<=>^`|~\p{Script=Han}]|[^\s\p{Cc}\p{P}$+<=>^`|~\p{Script=Han}]+/gu;
