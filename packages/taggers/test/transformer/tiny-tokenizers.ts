/** WordPiece as BERT has it; ids 0 to 4 are special, then words and pieces. */
export function wordPiece(words: readonly string[]): Record<string, unknown> {
  const tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokens
      .slice(0, 5)
      .map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: false,
      lowercase: false,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
        "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
      },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
}

/** Byte-level BPE as RoBERTa has it: `Ġ` stands for a leading space; the file says add_prefix_space false. */
export function byteLevelBpe(): Record<string, unknown> {
  const tokens = ["<s>", "<pad>", "</s>", "<unk>", "Ġ", "a", "b", "c", "Ġa", "Ġab", "bc", "'"];
  return {
    added_tokens: [
      { id: 0, content: "<s>", special: true },
      { id: 1, content: "<pad>", special: true },
    ],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
    post_processor: {
      type: "RobertaProcessing",
      sep: ["</s>", 2],
      cls: ["<s>", 0],
      trim_offsets: true,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: ["Ġ a", "Ġa b", "b c"],
    },
  };
}

/** Unigram behind Metaspace, as XLM-RoBERTa has it. */
export function unigram(): Record<string, unknown> {
  return {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "<s>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 1 } },
        { SpecialToken: { id: "</s>", type_id: 1 } },
      ],
      special_tokens: { "<s>": { id: "<s>", ids: [0] }, "</s>": { id: "</s>", ids: [2] } },
    },
    decoder: null,
    model: {
      type: "Unigram",
      unk_id: 3,
      vocab: [
        ["<s>", 0],
        ["<pad>", 0],
        ["</s>", 0],
        ["<unk>", 0],
        ["▁", -3],
        ["▁the", -1],
        ["m", -4],
        ["at", -2],
      ],
    },
  };
}

/** Whole words only. */
export function wordLevel(): Record<string, unknown> {
  return {
    added_tokens: [],
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "Whitespace" },
    post_processor: null,
    decoder: null,
    model: { type: "WordLevel", unk_token: "[UNK]", vocab: { "[UNK]": 0, the: 1, cat: 2 } },
  };
}
