import { Tokenizer } from "@huggingface/tokenizers";
import { TaggerError } from "../tagger-error.js";
import { boundPatterns, checkPatternLength } from "./safe-patterns.js";
import { type SpecialTokens, specialTokensOf } from "./special-tokens.js";
import { subwordSpans } from "./subword-spans.js";
import { makeSubwordTextReader } from "./subword-text.js";
import { type TokenizerJson, vocabularyOf } from "./tokenizer-json.js";

/** The few settings beside `tokenizer.json` that change ids. */
export interface TokenizerSettings {
  readonly json: TokenizerJson;
  readonly unkToken?: string | undefined;
  readonly padId: number;
  /** `remove_space` and `do_lowercase_and_remove_accent` of tokenizer_config.json. */
  readonly removeSpace?: boolean | undefined;
  readonly lowercaseAndRemoveAccent?: boolean | undefined;
}

/** Words to subword ids, one word at a time. */
export interface WordEncoder {
  readonly special: SpecialTokens;
  readonly padId: number;
  /** Largest id that words and special tokens can get (added tokens that nobody asked for are not counted). */
  readonly largestId: number;
  /** What a word gets of which nothing is known: the unk token, or pad. */
  readonly unknown: readonly number[];
  /** Subword ids of a word, at least one; the array is shared by all uses of the word. */
  encode(word: string): readonly number[];
  /** Start and end of each of these subwords in the word's UTF-16 units, [2 × subwords]; see {@link subwordSpans}. */
  spans(word: string): Int32Array;
}

/** Words kept in each of the two generations of the cache. */
const GENERATION = 16_384;
/** Words longer than this are not kept: they do not come back. */
const LONGEST_CACHED = 64;

/**
 * An encoder of single words with a bounded cache.
 *
 * Each word is normalized and pre-tokenized by itself, as Hugging Face tokenizers do with `is_split_into_words`; with a
 * byte-level tokenizer every word gets the leading space that it has inside running text (`add_prefix_space`). A word
 * of which nothing is left (control characters, characters that a BPE without unk does not know) gets the unk token, or
 * pad.
 *
 * The cache forgets the least recently used words: two generations of 16,384 words, the older is dropped when the
 * younger is full.
 *
 * @throws TaggerError `tokenizer` if the tokenizer cannot be built, or has neither unk nor pad for words it does not
 *   know.
 */
export function makeWordEncoder(settings: TokenizerSettings): WordEncoder {
  const { json, padId } = settings;
  const { tokenizer, longest } = buildTokenizer(settings);
  const idOf = (token: string | null | undefined): number | undefined =>
    token == null ? undefined : tokenizer.token_to_id(token);
  const unkId = unknownIdOf(settings, idOf);
  const special = specialTokensOf(json, idOf);
  const prefix = hasPart(json.pre_tokenizer, "ByteLevel") ? " " : "";
  const fallback: readonly number[] = [unkId ?? padId];

  /** Ids of a word, and each subword as the tokenizer writes it. */
  const subwordsOf = (word: string): { ids: number[]; tokens: (string | undefined)[] } => {
    const encoded = tokenizer.encode(prefix + word.slice(0, longest), { add_special_tokens: false });
    const known: { ids: number[]; tokens: (string | undefined)[] } = { ids: [], tokens: [] };
    (encoded.ids as (number | undefined)[]).forEach((id, i) => {
      const kept = id ?? unkId;
      if (kept === undefined) return;
      known.ids.push(kept);
      known.tokens.push(kept === unkId ? undefined : encoded.tokens[i]);
    });
    return known;
  };
  const compute = (word: string): readonly number[] => {
    const { ids } = subwordsOf(word);
    return ids.length === 0 ? fallback : ids;
  };
  const readText = makeSubwordTextReader(json);

  let young = new Map<string, readonly number[]>();
  let old = new Map<string, readonly number[]>();
  return {
    special,
    padId,
    largestId: largestIdOf(json, [...special.before, ...special.after, ...fallback, padId]),
    unknown: fallback,
    spans(word) {
      const { tokens } = subwordsOf(word);
      // What a word of which nothing is known gets stands for all of it.
      return subwordSpans(word.slice(0, longest), readText(tokens.length === 0 ? [undefined] : tokens));
    },
    encode(word) {
      let ids = young.get(word);
      if (ids !== undefined) return ids;
      ids = old.get(word) ?? compute(word);
      if (word.length > LONGEST_CACHED) return ids;
      if (young.size >= GENERATION) {
        old = young;
        young = new Map();
      }
      young.set(word, ids);
      return ids;
    },
  };
}

/** Id of the unk token; undefined if there is none. */
export function unknownIdOf(
  { json, unkToken }: TokenizerSettings,
  idOf: (token: string | null | undefined) => number | undefined,
): number | undefined {
  const own = Array.isArray(json.model.vocab) ? json.model.unk_id : undefined;
  return own ?? idOf(json.model.unk_token) ?? idOf(unkToken);
}

/** Patterns of a tokenizer see this many characters of a word: what they may take grows with the cube of it. */
export const LONGEST_MATCHED = 1000;

/** What is used of the library's tokenizer. Its own types would reach those who use this package, and not compile. */
interface SubwordTokenizer {
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean },
  ): { readonly ids: readonly number[]; readonly tokens: readonly string[] };
  token_to_id(token: string): number | undefined;
}

interface BuiltTokenizer {
  readonly tokenizer: SubwordTokenizer;
  /** Characters of a word that are encoded. */
  readonly longest: number;
}

/** Before the library compiles them. */
function checkPatterns(json: TokenizerJson): void {
  const visit = (part: unknown, place: string): void => {
    if (typeof part !== "object" || part === null) return;
    const { pattern, normalizers, pretokenizers } = part as Record<string, unknown>;
    const regex = (pattern as { readonly Regex?: unknown } | undefined)?.Regex;
    if (typeof regex === "string") checkPatternLength(regex, `tokenizer: ${place}.pattern`);
    for (const [key, inner] of Object.entries({ normalizers, pretokenizers })) {
      if (Array.isArray(inner)) inner.forEach((one, i) => visit(one, `${place}.${key}.${i}`));
    }
  };
  visit(json.normalizer, "normalizer");
  visit(json.pre_tokenizer, "pre_tokenizer");
}

/** @throws TaggerError `tokenizer` for one that the library cannot build. */
export function buildTokenizer({
  json,
  unkToken,
  removeSpace,
  lowercaseAndRemoveAccent,
}: TokenizerSettings): BuiltTokenizer {
  checkPatterns(json);
  try {
    const tokenizer = new Tokenizer(
      {
        added_tokens: json.added_tokens,
        normalizer: json.normalizer ?? null,
        pre_tokenizer: json.pre_tokenizer ?? null,
        // Words are encoded without special tokens, and never decoded.
        post_processor: null,
        decoder: null,
        model:
          json.model.type === "WordPiece"
            ? { ...json.model, continuing_subword_prefix: json.model.continuing_subword_prefix ?? "##" }
            : json.model,
      },
      {
        unk_token: json.model.unk_token ?? unkToken,
        remove_space: removeSpace,
        do_lowercase_and_remove_accent: lowercaseAndRemoveAccent,
      },
    );
    const hasPatterns = boundPatterns(tokenizer, json, "tokenizer");
    return { tokenizer, longest: hasPatterns ? LONGEST_MATCHED : Number.POSITIVE_INFINITY };
  } catch (cause) {
    if (cause instanceof TaggerError) throw cause;
    throw new TaggerError(
      "tokenizer",
      `openTagger: tokenizer: expected one that can be built, got ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

/** Whether a part of the tokenizer, or one inside its sequence, has this type. */
function hasPart(part: unknown, type: string): boolean {
  if (typeof part !== "object" || part === null) return false;
  const { type: own, pretokenizers } = part as {
    readonly type?: string;
    readonly pretokenizers?: readonly unknown[];
  };
  return own === type || (pretokenizers ?? []).some((inner) => hasPart(inner, type));
}

export function largestIdOf(json: TokenizerJson, used: readonly number[]): number {
  let largest = 0;
  for (const id of used) largest = Math.max(largest, id);
  for (const id of vocabularyOf(json).values()) largest = Math.max(largest, id);
  return largest;
}
