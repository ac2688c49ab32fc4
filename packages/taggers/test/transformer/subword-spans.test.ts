import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTokenizerJson } from "../../src/transformer/tokenizer-json.js";
import { makeWordEncoder } from "../../src/transformer/word-encoder.js";
import { byteLevelBpe, unigram, wordLevel, wordPiece } from "./tiny-tokenizers.js";

type Json = Record<string, unknown>;

/** The parts of a word that its subwords stand for, and how many ids it has. */
function partsOf(json: Json, word: string): string[] {
  const encoder = makeWordEncoder({ json: parseTokenizerJson(json), padId: 0 });
  const spans = encoder.spans(word);
  expect(spans).toHaveLength(2 * encoder.encode(word).length);
  return Array.from({ length: spans.length / 2 }, (_, i) => word.slice(spans[2 * i], spans[2 * i + 1]));
}

const withNormalizer = (json: Json, normalizer: unknown): Json => ({ ...json, normalizer });
const uncased = { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true };
const pieces = wordPiece(["time", "fl", "##ies", "e", "el", "##lan", "##an", ".", "at", "日"]);

/** BPE of characters, as models with Metaspace or an end of words have it. */
const bpe = (tokens: readonly string[], extra: Json, preTokenizer: unknown): Json => ({
  normalizer: null,
  pre_tokenizer: preTokenizer,
  model: {
    type: "BPE",
    unk_token: "<unk>",
    vocab: Object.fromEntries(["<unk>", ...tokens].map((token, id) => [token, id])),
    merges: [],
    ...extra,
  },
});

/** GPT-2's spelling of the bytes of a text: U+0100 on for those that are not printable. */
const spelled = (text: string): string[] => {
  const printable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !printable(byte));
  return [...new TextEncoder().encode(text)].map((byte) =>
    String.fromCodePoint(printable(byte) ? byte : 0x100 + others.indexOf(byte)),
  );
};

const bytes = (() => {
  const json = byteLevelBpe();
  const tokens = ["<unk>", "Ġ", ...new Set(spelled("aé€😀"))];
  return {
    ...json,
    added_tokens: [],
    post_processor: null,
    model: {
      ...(json["model"] as Json),
      merges: [],
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
})();

const fallback = bpe(
  ["▁", "a", "<0xE2>", "<0x82>", "<0xAC>"],
  { byte_fallback: true },
  { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
);
const ended = bpe(
  ["a", "b", "ab", "c</w>"],
  { merges: ["a b"], end_of_word_suffix: "</w>" },
  { type: "WhitespaceSplit" },
);
const quoted = withNormalizer(wordPiece(["'", "at"]), {
  type: "Replace",
  pattern: { String: "’" },
  content: "'",
});
const ligature = unigram();
(ligature["model"] as { vocab: [string, number][] }).vocab.push(["fi", -1], ["ne", -1]);

test.each<[string, Json, string, string[]]>([
  ["WordPiece", pieces, "flies", ["fl", "ies"]],
  ["WordPiece: words of a word", pieces, "time.at", ["time", ".", "at"]],
  ["WordPiece: an unknown word", pieces, "zebra", ["zebra"]],
  ["WordPiece: unknown words beside each other", pieces, "zat…at", ["zat", "…", "at"]],
  ["WordPiece: unknown between known", pieces, "time-zebra.", ["time", "-", "zebra", "."]],
  ["WordPiece: unknown characters of Han", pieces, "日本語日", ["日", "本", "語", "日"]],
  ["WordPiece: nothing left", pieces, "\u0000", ["\u0000"]],
  ["WordPiece: characters left out", pieces, "fl\u00ADies\u200B.", ["fl\u00ADies".slice(0, 2), "ies", "."]],
  ["WordPiece uncased", withNormalizer(pieces, uncased), "TIME.", ["TIME", "."]],
  ["accents stripped, composed", withNormalizer(pieces, uncased), "Élan", ["Él", "an"]],
  ["accents stripped, apart", withNormalizer(pieces, uncased), "E\u0301lan", ["E\u0301l", "an"]],
  ["a replaced character", quoted, "at’at", ["at", "’", "at"]],
  ["byte-level BPE", byteLevelBpe(), "abc", ["ab", "c"]],
  ["byte-level BPE: the blank by itself", byteLevelBpe(), "bc", ["", "bc"]],
  ["bytes of a character", bytes, "aé€", ["", "a", "é", "é", "€", "€", "€"]],
  ["bytes of a surrogate pair", bytes, "😀a", ["", "😀", "😀", "😀", "😀", "a"]],
  ["unknown bytes", bytes, "añ", ["", "a", "ñ", "ñ"]],
  ["Unigram", unigram(), "the", ["the"]],
  ["Unigram: the blank by itself", unigram(), "mat", ["", "m", "at"]],
  ["Unigram: unknown characters as one", unigram(), "méyat", ["", "m", "éy", "at"]],
  ["a ligature taken apart", withNormalizer(ligature, { type: "NFKC" }), "ﬁne", ["", "ﬁ", "ne"]],
  ["byte fallback", fallback, "a€a", ["", "a", "€", "€", "€", "a"]],
  ["the end of words", ended, "abc", ["ab", "c"]],
  ["WordLevel", wordLevel(), "Cat", ["Cat"]],
  ["WordLevel: unknown", wordLevel(), "Dog", ["Dog"]],
])("%s: the part of the word that each subword stands for", (_name, json, word, parts) => {
  expect(partsOf(json, word)).toEqual(parts);
});

test("spans are in order, inside of the word, cut no character, and leave out no letter", () => {
  const letters = fc.constantFrom(..."aetimflsánÉß日本…-.'’😀ñ\u0301\u200Bﬁ");
  const word = fc.array(letters, { minLength: 1, maxLength: 12 }).map((all) => all.join(""));
  const tokenizers = [pieces, withNormalizer(pieces, uncased), bytes, unigram(), byteLevelBpe()].map((json) =>
    makeWordEncoder({ json: parseTokenizerJson(json), padId: 0 }),
  );
  fc.assert(
    fc.property(word, fc.constantFrom(...tokenizers), (text, encoder) => {
      const spans = encoder.spans(text);
      expect(spans).toHaveLength(2 * encoder.encode(text).length);
      let [covered, before] = ["", 0];
      for (let i = 0; i < spans.length; i += 2) {
        const [start, end] = [spans[i] as number, spans[i + 1] as number];
        expect(start).toBeLessThanOrEqual(end);
        expect(start).toBeGreaterThanOrEqual(i === 0 ? 0 : (spans[i - 2] as number));
        // Half a surrogate pair cannot be encoded.
        expect(() => encodeURIComponent(text.slice(start, end))).not.toThrow();
        covered += text.slice(Math.max(start, before), end);
        before = Math.max(before, end);
      }
      const kept = (all: string): string => all.replace(/[\p{M}\p{C}]/gu, "");
      expect(kept(covered)).toBe(kept(text));
    }),
  );
});
