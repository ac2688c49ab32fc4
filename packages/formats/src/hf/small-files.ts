import { FormatError } from "../format-error.js";
import { type FolderFiles, readText } from "./folder-files.js";
import { type ConfigOptions, type ModelConfig, parseModelConfig } from "./model-config.js";
import { readTokenizerOf } from "./read-tokenizer.js";
import type { TokenizerConfig, TokenizerFile } from "./tokenizer-files.js";

/** The small files of a Hugging Face directory of a token classifier, read and checked. */
export interface HfSmallFiles {
  readonly config: ModelConfig;
  /** Labels in the order of the logits: `config.labels`. */
  readonly labels: readonly string[];
  /** `tokenizer.json` as parsed. */
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizer: TokenizerFile;
  readonly tokenizerConfig: TokenizerConfig;
  /** What was made good in the small files, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads and checks `config.json` and the tokenizer's files of a folder, wherever it is.
 *
 * @throws FormatError as `openHfDirectory` of the Node entry, but for the model files
 * @example
 * ```ts
 * const { labels } = await readSmallFiles(files);
 * ```
 */
export async function readSmallFiles(files: FolderFiles, options: ConfigOptions = {}): Promise<HfSmallFiles> {
  const text = await readText(files, "config.json");
  const config = parseModelConfig(text, files.pathOf("config.json"), options);
  const { tokenizer, tokenizerConfig, path, notes } = await readTokenizerOf(files);
  if (config.vocabularySize !== undefined && tokenizer.vocabularySize > config.vocabularySize) {
    throw new FormatError(
      "out-of-range",
      `openHfDirectory: ${path}: model.vocab: expected ids below ${config.vocabularySize} (vocab_size of config.json), got ${tokenizer.vocabularySize - 1}; is it the tokenizer of another model?`,
      { path, name: "model.vocab" },
    );
  }
  return {
    config,
    labels: config.labels,
    tokenizerJson: tokenizer.raw,
    tokenizer,
    tokenizerConfig,
    notes: [...config.notes, ...notes],
  };
}
