import { continuationPrefix, specialPieces } from "./train-vocabulary.js";

/** Longer words become `[UNK]`, as in BERT: the search for the longest piece takes quadratic time. */
const longestWord = 100;

/** Control characters go, Chinese characters stand alone; accents and case stay. */
const textNormalizer = {
  type: "BertNormalizer",
  clean_text: true,
  handle_chinese_chars: true,
  strip_accents: false,
  lowercase: false,
};

/** The two files of a WordPiece tokenizer as Hugging Face tokenizers have them. */
export interface WordPieceFiles {
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
}

/**
 * A WordPiece tokenizer over given pieces: case is kept, `[CLS]` and `[SEP]` stand around a sentence. Of `words`, which
 * are given, white space ends one; in running `text` punctuation is a word of its own, as in BERT.
 *
 * @param pieces in the order of their ids, {@link specialPieces} first
 * @param positions most tokens of a sentence, special ones included
 */
export function wordPieceTokenizer(
  pieces: readonly string[],
  positions: number,
  reads: "words" | "text" = "words",
): WordPieceFiles {
  const special = specialPieces.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const token = (content: (typeof specialPieces)[number], type: number): object => ({
    SpecialToken: { id: content, type_id: type },
  });
  const around = Object.fromEntries(
    (["[CLS]", "[SEP]"] as const).map((content) => [
      content,
      { id: content, ids: [specialPieces.indexOf(content)], tokens: [content] },
    ]),
  );
  const first = [token("[CLS]", 0), { Sequence: { id: "A", type_id: 0 } }, token("[SEP]", 0)];
  return {
    tokenizerJson: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: special,
      normalizer: reads === "words" ? null : textNormalizer,
      pre_tokenizer: { type: reads === "words" ? "WhitespaceSplit" : "BertPreTokenizer" },
      post_processor: {
        type: "TemplateProcessing",
        single: first,
        pair: [...first, { Sequence: { id: "B", type_id: 1 } }, token("[SEP]", 1)],
        special_tokens: around,
      },
      decoder: { type: "WordPiece", prefix: continuationPrefix, cleanup: true },
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: continuationPrefix,
        max_input_chars_per_word: longestWord,
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      },
    },
    tokenizerConfig: {
      tokenizer_class: "PreTrainedTokenizerFast",
      model_max_length: positions,
      pad_token: "[PAD]",
      unk_token: "[UNK]",
      cls_token: "[CLS]",
      sep_token: "[SEP]",
      mask_token: "[MASK]",
    },
  };
}
