import { TaggerError } from "../tagger-error.js";
import { packTokenizer } from "../transformer/compact-tokenizer.js";
import type { HfFiles, TransformerSettings } from "../transformer/settings.js";
import type { TokenizerJson } from "../transformer/tokenizer-json.js";

type Json = Readonly<Record<string, unknown>>;

/** A text that two taggers share when they cut words alike and name labels alike. */
export async function identityOfTagger({ labels, tokenizer }: TransformerSettings): Promise<string> {
  const { json, removeSpace = false, lowercaseAndRemoveAccent = false } = tokenizer;
  // These three do not change ids, and files of older versions lack them.
  const plain = { ...json, decoder: null, truncation: null, padding: null };
  return JSON.stringify([labels, removeSpace, lowercaseAndRemoveAccent, await packTokenizer(plain)]);
}

/** The small files where nothing is known but the family: enough for transformers.js. */
export function minimalFiles(settings: TransformerSettings, modelType: string): HfFiles {
  const { tokenizer, maxPositions, positionOffset, vocabularySize } = settings;
  const { unkToken, removeSpace, lowercaseAndRemoveAccent } = tokenizer;
  return {
    config: {
      model_type: modelType,
      ...(vocabularySize === undefined ? {} : { vocab_size: vocabularySize }),
      ...(maxPositions === undefined ? {} : { max_position_embeddings: maxPositions + positionOffset }),
      pad_token_id: tokenizer.padId,
    },
    tokenizerConfig: {
      ...(unkToken === undefined ? {} : { unk_token: unkToken }),
      ...(removeSpace === undefined ? {} : { remove_space: removeSpace }),
      ...(lowercaseAndRemoveAccent === undefined
        ? {}
        : { do_lowercase_and_remove_accent: lowercaseAndRemoveAccent }),
      ...(maxPositions === undefined ? {} : { model_max_length: maxPositions }),
    },
  };
}

/** `tokenizer_config.json` with a `pad_token`: the one there is, else that of the tagger's padding id. */
export function paddedTokenizerConfig(tokenizerConfig: Json, { tokenizer }: TransformerSettings): Json {
  if (tokenizerConfig["pad_token"] != null) return tokenizerConfig;
  const token = tokenOf(tokenizer.json, tokenizer.padId);
  if (token !== undefined) return { ...tokenizerConfig, pad_token: token };
  throw new TaggerError(
    "tokenizer",
    `tokenizer_config.json: pad_token: expected the padding token, got none, and no token has the id ${tokenizer.padId}; add it to the file`,
    { name: "pad_token" },
  );
}

function tokenOf({ added_tokens: added, model: { vocab } }: TokenizerJson, id: number): string | undefined {
  const found = added.find((token) => token.id === id)?.content;
  if (found !== undefined) return found;
  if (Array.isArray(vocab)) return vocab[id]?.[0];
  return Object.keys(vocab).find((token) => vocab[token] === id);
}

/** `tokenizer.json` from what a model file carries; what files of older versions lack is made good. */
export function wholeTokenizer(json: TokenizerJson): Json {
  const { added_tokens, normalizer = null, pre_tokenizer = null, post_processor = null, model } = json;
  const { decoder = usualDecoder(json), truncation = null, padding = null } = json;
  return {
    version: "1.0",
    truncation,
    padding,
    added_tokens,
    normalizer,
    pre_tokenizer,
    post_processor,
    decoder,
    model,
  };
}

/** How tokens become text again, by the kind of tokenizer; null where it is not known. */
function usualDecoder({ model, pre_tokenizer: cut }: TokenizerJson): Json | null {
  if (model.type === "WordPiece") {
    return { type: "WordPiece", prefix: model["continuing_subword_prefix"] ?? "##", cleanup: true };
  }
  const parts = [cut, ...((cut?.["pretokenizers"] ?? []) as (typeof cut)[])];
  const spaces = parts.find((part) => part?.type === "Metaspace");
  if (spaces != null) return spaces;
  if (!parts.some((part) => part?.type === "ByteLevel")) return null;
  return { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true };
}
