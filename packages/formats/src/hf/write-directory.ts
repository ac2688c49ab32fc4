import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type WrittenFile, writeFileAtomic } from "../archive/write-file-atomic.js";
import { FormatError } from "../format-error.js";
import { type ConfigOptions, parseModelConfig } from "./model-config.js";
import { stageFolder } from "./staged-folder.js";
import { parseTokenizerConfig, parseTokenizerFile } from "./tokenizer-files.js";
import { modelFileName, type ModelVariant } from "./variants.js";

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** What {@link writeHfDirectory} writes; the three JSON files as they shall stand there. */
export interface HfDirectoryContent {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  /** Must have `pad_token`: without it transformers.js throws on a padded batch. */
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** Bytes of each model file. */
  readonly models: ReadonlyMap<ModelVariant, Chunks>;
  /** Bytes of other files by their paths in the folder: `model.safetensors`, `vocab.txt`, `1_Pooling/config.json`, … */
  readonly files?: ReadonlyMap<string, Chunks>;
}

export interface WriteHfDirectoryOptions extends ConfigOptions {
  /** Looks at the written files before they take their places; what it throws leaves the folder as it was. */
  readonly check?: (staged: string) => Promise<void>;
}

const jsonFiles = ["tokenizer.json", "tokenizer_config.json", "config.json"] as const;

/**
 * Writes a Hugging Face directory that transformers.js loads offline.
 *
 * Everything is written to a hidden folder beside it first, checked as {@link openHfDirectory} would check it, gets the
 * other files of an existing folder, and takes its name as a whole. A process that is killed at any moment leaves the
 * old folder or the new one (between two renames the old one under a hidden name, which whoever opens the path next
 * puts right); on failure nothing changes.
 *
 * @param path the folder, made where it is missing
 * @returns size and SHA-256 of every file, by its path inside the folder
 * @throws FormatError those of the parsers, `missing` (`pad_token`), `invalid-value` (a path in `files` that is not
 *   one of plain names inside the folder), `unwritable`; what `check` throws
 * @example
 * ```ts
 * await writeHfDirectory("out", { config, tokenizerJson, tokenizerConfig, models: new Map([["q8", chunks]]) });
 * ```
 */
export async function writeHfDirectory(
  path: string,
  { config, tokenizerJson, tokenizerConfig, models, files = new Map() }: HfDirectoryContent,
  { check, ...options }: WriteHfDirectoryOptions = {},
): Promise<Map<string, WrittenFile>> {
  const operation = "writeHfDirectory";
  const texts = {
    "tokenizer.json": `${JSON.stringify(tokenizerJson)}\n`,
    "tokenizer_config.json": `${JSON.stringify(tokenizerConfig, null, 2)}\n`,
    "config.json": `${JSON.stringify(config, null, 2)}\n`,
  };
  parseModelConfig(texts["config.json"], "config.json", options);
  parseTokenizerFile(texts["tokenizer.json"]);
  if (parseTokenizerConfig(texts["tokenizer_config.json"]).padToken === undefined) {
    throw new FormatError(
      "missing",
      `${operation}: tokenizer_config.json: pad_token: expected the padding token, got nothing`,
      { name: "pad_token" },
    );
  }
  for (const name of files.keys()) checkName(operation, name);
  const staged = await stageFolder(operation, path);
  try {
    const written = new Map<string, WrittenFile>();
    const write = async (name: string, chunks: Chunks): Promise<void> => {
      const target = join(staged.path, name);
      await mkdir(dirname(target), { recursive: true });
      written.set(name, await writeFileAtomic(target, chunks));
    };
    for (const [name, chunks] of files) await write(name, chunks);
    for (const [variant, chunks] of models) await write(`onnx/${modelFileName(variant)}`, chunks);
    for (const name of jsonFiles) await write(name, [new TextEncoder().encode(texts[name])]);
    await check?.(staged.path);
    await staged.commit([...written.keys()]);
    return written;
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

function checkName(operation: string, name: string): void {
  const isPlain = name
    .split("/")
    .every((part) => part !== "" && !part.startsWith(".") && !/[\\\0]/.test(part));
  if (isPlain && !(jsonFiles as readonly string[]).includes(name) && !name.startsWith("onnx/")) return;
  throw new FormatError(
    "invalid-value",
    `${operation}: files: name: expected that of another file in the folder, got ${JSON.stringify(name)}`,
    { name },
  );
}
