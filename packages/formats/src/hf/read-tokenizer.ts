import { FormatError } from "../format-error.js";
import { type FolderFiles, readTextIfThere } from "./folder-files.js";
import {
  parseTokenizerConfig,
  parseTokenizerFile,
  type TokenizerConfig,
  type TokenizerFile,
} from "./tokenizer-files.js";
import { wordPieceFiles } from "./word-piece-files.js";

type Json = Readonly<Record<string, unknown>>;

/** The tokenizer of a Hugging Face directory. */
export interface HfTokenizer {
  readonly tokenizer: TokenizerFile;
  readonly tokenizerConfig: TokenizerConfig;
  /** Name of the file that the vocabulary is from. */
  readonly path: string;
  /** What was made good, a sentence each. */
  readonly notes: readonly string[];
}

const operation = "openHfDirectory";
/** Keys of `special_tokens_map.json` that `tokenizer_config.json` may lack. */
const tokenKeys = [
  "pad_token",
  "cls_token",
  "sep_token",
  "unk_token",
  "mask_token",
  "bos_token",
  "eos_token",
];
/** Files of tokenizers that only their own programs read. */
const others = ["vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "bpe.codes"];

/**
 * Reads the tokenizer of a directory: `tokenizer.json`, or BERT's `vocab.txt`; with special tokens from
 * `tokenizer_config.json`, and from `special_tokens_map.json` where that lacks them.
 *
 * @throws FormatError `not-found` where there is neither (naming other tokenizer files that are there), and as
 *   `parseTokenizerFile`, `parseTokenizerConfig`
 */
export async function readTokenizerOf(files: FolderFiles): Promise<HfTokenizer> {
  const at = (name: string): string => files.pathOf(name);
  const configPath = at("tokenizer_config.json");
  const configText = await readTextIfThere(files, "tokenizer_config.json");
  const mapText = await readTextIfThere(files, "special_tokens_map.json");
  const own = configText === undefined ? {} : parseTokenizerConfig(configText, configPath).raw;
  const { map, damage } = mapOf(mapText, at("special_tokens_map.json"));
  const named = Object.fromEntries(tokenKeys.filter((key) => map[key] != null).map((key) => [key, map[key]]));
  const config: Json = { ...named, ...dropNull(own, named) };
  const missing =
    configText === undefined ? [`${configPath}: not there; its settings are taken from the other files`] : [];
  const notes = [...damage, ...missing];

  const path = at("tokenizer.json");
  const text = await readTextIfThere(files, "tokenizer.json");
  if (text !== undefined) {
    return {
      tokenizer: parseTokenizerFile(text, path),
      tokenizerConfig: parseTokenizerConfig(JSON.stringify(config), configPath),
      path,
      notes,
    };
  }
  const vocabularyPath = at("vocab.txt");
  const vocabulary = await readTextIfThere(files, "vocab.txt");
  if (vocabulary === undefined) throw await noTokenizer(files, path);
  const addedText = await readTextIfThere(files, "added_tokens.json");
  const built = wordPieceFiles({
    vocabulary,
    file: vocabularyPath,
    tokenizerConfig: config,
    addedTokens:
      addedText === undefined ? undefined : parseTokenizerConfig(addedText, at("added_tokens.json")).raw,
  });
  return {
    tokenizer: parseTokenizerFile(JSON.stringify(built.tokenizerJson), vocabularyPath),
    tokenizerConfig: parseTokenizerConfig(
      JSON.stringify({ ...built.tokenizerConfig, ...config }),
      configPath,
    ),
    path: vocabularyPath,
    notes: [...notes, ...built.notes],
  };
}

/** The map is a help where another file lacks something: a damaged one is only noted. */
function mapOf(
  text: string | undefined,
  path: string,
): { readonly map: Json; readonly damage: readonly string[] } {
  try {
    return { map: text === undefined ? {} : parseTokenizerConfig(text, path).raw, damage: [] };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { map: {}, damage: [`${error.message.replace(/^\w+: /, "")}; it is left out`] };
  }
}

/** Keys that a file names without a value do not hide another's. */
function dropNull(own: Json, other: Json): Json {
  return Object.fromEntries(Object.entries(own).filter(([key, value]) => value !== null || !(key in other)));
}

async function noTokenizer(files: FolderFiles, path: string): Promise<FormatError> {
  const there: string[] = [];
  for (const name of others) {
    if (await files.has(name)) there.push(name);
  }
  const got = there.length === 0 ? "neither" : `only ${there.join(", ")}`;
  const advice =
    there.length === 0
      ? "put the model's own beside it"
      : "let transformers save its fast tokenizer, which writes tokenizer.json";
  return new FormatError(
    "not-found",
    `${operation}: ${files.folder}: tokenizer: expected tokenizer.json or vocab.txt (WordPiece), got ${got}; text cannot be encoded without it: ${advice}`,
    { path },
  );
}
