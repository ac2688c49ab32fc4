import { gunzip, gzip } from "@nasty/formats/archive";
import { parseJson } from "@nasty/formats/json";
import { fromBase64, toBase64 } from "../base64.js";
import { TaggerError } from "../tagger-error.js";
import { parseTokenizerJson, type TokenizerJson } from "./tokenizer-json.js";

/** No tokenizer in use is larger; a metadata entry that unpacks to more is an attack. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * A tokenizer in few characters: canonical JSON, the vocabulary as a list in the order of ids, gzip, base64. 8,000
 * WordPiece entries take about 40 kB. Decoder, truncation and padding, which tagging does not need, are kept for a
 * Hugging Face directory.
 *
 * @example
 * ```ts
 * await unpackTokenizer(await packTokenizer(json)); // encodes as `json` does
 * ```
 */
export async function packTokenizer(json: TokenizerJson): Promise<string> {
  const { normalizer = null, pre_tokenizer = null, post_processor = null, added_tokens, model } = json;
  const { decoder = null, truncation = null, padding = null } = json;
  const { vocab, ...rest } = model;
  const compact = {
    added_tokens,
    normalizer,
    pre_tokenizer,
    post_processor,
    decoder,
    truncation,
    padding,
    model: rest,
    ...(Array.isArray(vocab) ? { pieces: vocab } : { vocabulary: byId(vocab) }),
  };
  return toBase64(await gzip(new TextEncoder().encode(JSON.stringify(compact))));
}

/**
 * The tokenizer that {@link packTokenizer} packed.
 *
 * @throws TaggerError `metadata` if the text is not base64 of gzip of JSON, `tokenizer` if the JSON is no tokenizer.
 */
export async function unpackTokenizer(text: string): Promise<TokenizerJson> {
  let compact: Record<string, unknown>;
  try {
    const bytes = await gunzip(fromBase64(text), { maxBytes: MOST_BYTES });
    compact = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Record<string, unknown>;
  } catch (cause) {
    throw new TaggerError(
      "metadata",
      `openTagger: metadata nasty.tokenizer: expected base64 of a gzipped tokenizer, got ${(cause as Error).message}`,
      { name: "nasty.tokenizer", cause },
    );
  }
  const { vocabulary, pieces, model, ...parts } = compact;
  const vocab = pieces ?? (Array.isArray(vocabulary) ? toVocab(vocabulary) : vocabulary);
  return parseTokenizerJson({ ...parts, model: { ...(model as object), vocab } }, "metadata nasty.tokenizer");
}

type Entry = string | null | readonly string[];

/** A list in the order of ids is shorter, unless it consists of gaps. */
const MOST_GAPS = 1000;

/**
 * Tokens by id: null where an id is missing, a list where several tokens share one; with many gaps the tokens with
 * their ids.
 */
function byId(vocab: Readonly<Record<string, number>>): Entry[] | Readonly<Record<string, number>> {
  const tokens = Object.entries(vocab);
  let largest = -1;
  for (const [, id] of tokens) if (id > largest) largest = id;
  if (largest > tokens.length * 2 + MOST_GAPS) return vocab;
  const entries: Entry[] = Array<Entry>(largest + 1).fill(null);
  for (const [token, id] of tokens) {
    const there = entries[id] as Entry;
    entries[id] = there === null ? token : [...(typeof there === "string" ? [there] : there), token];
  }
  return entries;
}

function toVocab(entries: readonly unknown[]): Record<string, number> {
  // No prototype: "__proto__" is a token like any other.
  const vocab = Object.create(null) as Record<string, number>;
  entries.forEach((entry, id) => {
    for (const token of Array.isArray(entry) ? entry : [entry]) {
      if (typeof token === "string") vocab[token] = id;
    }
  });
  return vocab;
}
