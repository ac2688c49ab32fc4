import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "../format-error.js";
import { type ConfigOptions, parseModelConfig } from "./model-config.js";
import { filesOnDisk } from "./files-on-disk.js";
import { readTextIfThere } from "./folder-files.js";
import { type HfSmallFiles, readSmallFiles } from "./small-files.js";
import { readUnchanged, recoverFolder } from "./recover-folder.js";
import { isModelVariant, modelFileName, type ModelVariant, modelVariants } from "./variants.js";

/** A Hugging Face directory of a token classifier, its small files read and checked. */
export interface HfDirectory extends HfSmallFiles {
  readonly path: string;
  /** The variants that are there, with their paths: in `onnx/` or beside `config.json`, perhaps compressed. */
  readonly models: ReadonlyMap<ModelVariant, string>;
  /** `model.safetensors`, where there is one. */
  readonly safetensorsPath: string | undefined;
  /**
   * Path of a variant; without one fp32, else what `transformers.js_config` prefers, else the first there is.
   *
   * @throws FormatError `not-found`, naming the variants that are there
   */
  modelPath(variant?: ModelVariant): string;
}

/** The model files of a folder, whatever else it holds. */
export interface ModelFolder extends Pick<HfDirectory, "path" | "models" | "safetensorsPath" | "modelPath"> {}

/** Whether a path is a folder with a `config.json`, or with the graph of a model. */
export async function isHfDirectory(path: string): Promise<boolean> {
  await recoverFolder(path);
  const folder = await stat(path).catch(() => undefined);
  if (folder?.isDirectory() !== true) return false;
  const found = await stat(join(path, "config.json")).catch(() => undefined);
  return found?.isFile() === true || (await findModels(path)).size > 0;
}

/**
 * Opens a Hugging Face directory: reads and checks `config.json`, the tokenizer's files, and finds the model files.
 *
 * The tokenizer is that of `tokenizer.json`, or of BERT's `vocab.txt`; `tokenizer_config.json` may be missing. What was
 * made good is in `notes`.
 *
 * @param path the folder
 * @param options whether its model has labels (a token or text classifier; default), or may have none (an encoder)
 * @throws FormatError with `path` and `name` (the key): `not-found` (the folder or a file of it), those of
 *   `parseModelConfig`, `parseTokenizerConfig` and `parseTokenizerFile`, `out-of-range` (the tokenizer has ids beyond
 *   the model's embedding table: it belongs to another model)
 * @example
 * ```ts
 * const { labels, modelPath } = await openHfDirectory("models/pos");
 * const file = modelPath("q8"); // models/pos/onnx/model_quantized.onnx
 * ```
 */
export async function openHfDirectory(path: string, options: ConfigOptions = {}): Promise<HfDirectory> {
  return readUnchanged(path, () => readDirectory(path, options));
}

/**
 * Finds the model files of a folder, for what needs neither labels nor tokenizer.
 *
 * @throws FormatError `not-found` where there is no folder
 * @example
 * ```ts
 * (await openModelFolder("models/encoder")).modelPath(); // models/encoder/onnx/model.onnx
 * ```
 */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  return readUnchanged(path, async () => findFiles(path, await preferenceOf(path)));
}

async function readDirectory(path: string, options: ConfigOptions): Promise<HfDirectory> {
  await checkFolder(path);
  const files = await readSmallFiles(filesOnDisk(path), options);
  return { ...(await findFiles(path, files.config.preferredDtype)), ...files };
}

async function checkFolder(path: string): Promise<void> {
  const folder = await stat(path).catch(() => undefined);
  if (folder?.isDirectory() === true) return;
  const got = folder === undefined ? "nothing" : "a file";
  throw new FormatError("not-found", `openHfDirectory: ${path}: expected a folder, got ${got}`, { path });
}

async function findFiles(path: string, preferredDtype: string | undefined): Promise<ModelFolder> {
  await checkFolder(path);
  const models = await findModels(path);
  const others = models.size > 0 ? [] : await otherModels(path);
  const safetensorsPath = join(path, "model.safetensors");
  const hasSafetensors = (await stat(safetensorsPath).catch(() => undefined))?.isFile() === true;
  return {
    path,
    models,
    safetensorsPath: hasSafetensors ? safetensorsPath : undefined,
    modelPath: (variant) => choosePath(path, models, { others, preferredDtype }, variant),
  };
}

/** Which file `config.json` prefers, where it is one that says so. */
async function preferenceOf(path: string): Promise<string | undefined> {
  const text = await readTextIfThere(filesOnDisk(path), "config.json").catch(() => undefined);
  try {
    return text === undefined ? undefined : parseModelConfig(text).preferredDtype;
  } catch {
    return undefined;
  }
}

function choosePath(
  path: string,
  models: ReadonlyMap<ModelVariant, string>,
  {
    others,
    preferredDtype,
  }: { readonly others: readonly string[]; readonly preferredDtype: string | undefined },
  variant: ModelVariant | undefined,
): string {
  const preferred =
    preferredDtype !== undefined && isModelVariant(preferredDtype) ? preferredDtype : undefined;
  const found =
    variant === undefined
      ? (models.get("fp32") ?? (preferred && models.get(preferred)) ?? [...models.values()][0])
      : models.get(variant);
  if (found !== undefined) return found;
  const expected = `onnx/${modelFileName(variant ?? "fp32")} or ${modelFileName(variant ?? "fp32")}`;
  const named = others.length === 0 ? "no model file" : `${others.join(", ")}, of which to name one`;
  const got = models.size === 0 ? named : `only ${[...models.keys()].join(", ")}`;
  throw new FormatError(
    "not-found",
    `openHfDirectory: ${path}: model file: expected ${expected}, got ${got}`,
    { path },
  );
}

/** Model files of other names, at most ten: an encoder and its decoder. */
async function otherModels(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const inside of ["", "onnx"]) {
    const names = await readdir(join(path, inside)).catch((): string[] => []);
    found.push(
      ...names.filter((name) => /\.onnx(?:\.gz|\.br)?$/i.test(name)).map((name) => join(inside, name)),
    );
  }
  return found.sort().slice(0, 10);
}

async function findModels(path: string): Promise<ReadonlyMap<ModelVariant, string>> {
  const models = new Map<ModelVariant, string>();
  const nested = new Set(await readdir(join(path, "onnx")).catch(() => []));
  const flat = new Set(await readdir(path));
  for (const variant of modelVariants) {
    const name = modelFileName(variant);
    for (const candidate of [name, `${name}.gz`, `${name}.br`]) {
      if (models.has(variant)) break;
      if (nested.has(candidate)) models.set(variant, join(path, "onnx", candidate));
      else if (flat.has(candidate)) models.set(variant, join(path, candidate));
    }
  }
  return models;
}
