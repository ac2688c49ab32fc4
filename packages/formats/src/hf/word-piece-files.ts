import { FormatError } from "../format-error.js";

type Json = Readonly<Record<string, unknown>>;

/** What BERT's tokenizer is made of where there is no `tokenizer.json`. */
export interface WordPieceParts {
  /** Text of `vocab.txt`: a piece a line, in the order of ids. */
  readonly vocabulary: string;
  /** Name of that file, for messages. */
  readonly file: string;
  /** `tokenizer_config.json` as parsed, special tokens completed from `special_tokens_map.json`; may be empty. */
  readonly tokenizerConfig: Json;
  /** `added_tokens.json` as parsed: tokens with their ids. */
  readonly addedTokens?: Json | undefined;
}

/** A tokenizer with what was assumed for it. */
export interface WordPieceFiles {
  readonly tokenizerJson: Json;
  /** What `tokenizer_config.json` would say. */
  readonly tokenizerConfig: Json;
  readonly notes: readonly string[];
}

/** BERT's special tokens, by the keys that rename them. */
const specialKeys = {
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
} as const;

/** Longer words become the unknown token, as in BERT. */
const longestWord = 100;

/**
 * The `tokenizer.json` of a directory that has only BERT's `vocab.txt`.
 *
 * Text is cleaned and cut as BERT does it; `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` decide how.
 * Where nobody tells, a vocabulary with capital letters keeps case, and any other lowers it.
 *
 * @throws FormatError `missing` for a special token that a sentence needs and the vocabulary lacks, `schema` for
 *   `added_tokens.json` with something else than ids
 * @see BertTokenizer of Hugging Face transformers 4
 */
export function wordPieceFiles(parts: WordPieceParts): WordPieceFiles {
  const { vocabulary, file, tokenizerConfig, addedTokens = {} } = parts;
  const pieces = vocabulary
    .replace(/^\uFEFF/, "")
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
  // No prototype: "__proto__" is a piece like any other.
  const vocab = Object.create(null) as Record<string, number>;
  pieces.forEach((piece, id) => (vocab[piece] = id));
  const special = specialTokens(tokenizerConfig);
  for (const key of ["unk_token", "cls_token", "sep_token"] as const) {
    if (Object.hasOwn(vocab, special[key]) || Object.hasOwn(addedTokens, special[key])) continue;
    throw new FormatError(
      "missing",
      `openHfDirectory: ${file}: ${key}: expected a line ${JSON.stringify(special[key])}, got none; is it a WordPiece vocabulary?`,
      { path: file, name: key },
    );
  }
  const added = addedTokensOf(parts, vocab, Object.values(special));
  const idOf = (token: string): number =>
    vocab[token] ?? (added.find(({ content }) => content === token)?.id as number);
  const notes = [`${file}: no tokenizer.json; the WordPiece tokenizer is built from the vocabulary`];
  const isCased = pieces.some((piece) => piece !== piece.toLowerCase() && !/^\[.*\]$/.test(piece));
  const told = tokenizerConfig["do_lower_case"];
  const lowercase = typeof told === "boolean" ? told : !isCased;
  if (typeof told !== "boolean") {
    notes.push(
      `${file}: nobody tells do_lower_case; ${lowercase ? "text is lowered, for" : "case is kept, for"} the vocabulary has ${isCased ? "" : "no "}capital letters`,
    );
  }
  const stripAccents = tokenizerConfig["strip_accents"];
  const built = { vocab, special, added, lowercase, stripAccents, idOf, tokenizerConfig };
  return {
    tokenizerJson: tokenizerOf(built),
    tokenizerConfig: { tokenizer_class: "BertTokenizer", do_lower_case: lowercase, ...special },
    notes,
  };
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

function addedTokensOf(
  { file, addedTokens = {} }: WordPieceParts,
  vocab: Readonly<Record<string, number>>,
  special: readonly string[],
): AddedToken[] {
  const added: AddedToken[] = [];
  for (const content of special) {
    if (Object.hasOwn(vocab, content)) added.push({ id: vocab[content] as number, content, special: true });
  }
  for (const [content, id] of Object.entries(addedTokens)) {
    if (!Number.isSafeInteger(id) || (id as number) < 0) {
      const path = file.replace(/vocab\.txt$/, "added_tokens.json");
      throw new FormatError(
        "schema",
        `openHfDirectory: ${path}: ${content}: expected an id, got ${JSON.stringify(id)}`,
        { path, name: content },
      );
    }
    if (!Object.hasOwn(vocab, content)) {
      added.push({ id: id as number, content, special: special.includes(content) });
    }
  }
  return added.toSorted((a, b) => a.id - b.id);
}

function specialTokens(config: Json): Record<keyof typeof specialKeys, string> {
  const tokens: Record<string, string> = { ...specialKeys };
  for (const key of Object.keys(specialKeys)) {
    const written = config[key];
    const text = typeof written === "object" ? (written as Json | null)?.["content"] : written;
    if (typeof text === "string") tokens[key] = text;
  }
  return tokens as Record<keyof typeof specialKeys, string>;
}

interface Built {
  readonly vocab: Json;
  readonly special: Record<keyof typeof specialKeys, string>;
  readonly added: readonly AddedToken[];
  readonly lowercase: boolean;
  readonly stripAccents: unknown;
  readonly tokenizerConfig: Json;
  idOf(token: string): number;
}

function tokenizerOf({ vocab, special, added, lowercase, stripAccents, tokenizerConfig, idOf }: Built): Json {
  const { cls_token: cls, sep_token: sep } = special;
  const token = (id: string, type: number): Json => ({ SpecialToken: { id, type_id: type } });
  const sequence = (id: string, type: number): Json => ({ Sequence: { id, type_id: type } });
  const single = [token(cls, 0), sequence("A", 0), token(sep, 0)];
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map(({ id, content, special: isSpecial }) => ({
      id,
      content,
      ...flags,
      special: isSpecial,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: tokenizerConfig["tokenize_chinese_chars"] !== false,
      strip_accents: typeof stripAccents === "boolean" ? stripAccents : null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, sequence("B", 1), token(sep, 1)],
      special_tokens: Object.fromEntries([cls, sep].map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }])),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: special.unk_token,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: longestWord,
      vocab,
    },
  };
}
