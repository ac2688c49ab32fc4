import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { WrittenFile } from "@nasty/formats/archive/node";
import { type ModelVariant, modelFileName, modelVariants } from "@nasty/formats/hf";
import { type HfDirectory, isHfDirectory, openHfDirectory, writeHfDirectory } from "@nasty/formats/hf/node";
import { readChunks } from "@nasty/formats/archive/node";
import { getMetadata, modelChunks, type ModelProto } from "@nasty/formats/onnx";
import { safetensorsChunks } from "@nasty/formats/safetensors";
import { familyTensors } from "../encoders/family-tensors.js";
import { labelledConfig } from "../encoders/labelled-config.js";
import { openTagger } from "../open-tagger.js";
import type { LabelChoice } from "../task.js";
import { TaggerError } from "../tagger-error.js";
import { withTagger } from "../tagger-settings.js";
import { type HfFiles, settingsFromHf, type TransformerSettings } from "../transformer/settings.js";
import { identityOfTagger, minimalFiles, paddedTokenizerConfig, wholeTokenizer } from "./directory-files.js";
import { companionFiles, type ExportSource, readSources } from "./export-source.js";
import { runnableModel } from "./runnable-model.js";

/** Task and scheme hold where they are given, and are kept in what is written. */
export interface ExportOptions extends LabelChoice {
  /**
   * One variant of a directory; or the name of a model file where its weights allow several (`int8` instead of `q8`).
   */
  readonly dtype?: ModelVariant;
  /** `model_type`, for a model file that does not know it: written by another program or by an old version. */
  readonly modelType?: string;
  /** A last touch on each model, such as a record of how it was made. */
  readonly record?: (
    model: ModelProto,
    source: Pick<ExportSource, "modelPath" | "sha256" | "variant">,
  ) => ModelProto;
  /**
   * Looks at each written file before it takes its place, with what it was made of; what it throws leaves the folder as
   * it was.
   */
  readonly check?: (staged: StagedModel, source: Omit<ExportSource, "directory">) => Promise<void>;
}

/** A written model that has not taken its place yet. */
export interface StagedModel {
  /** The Hugging Face directory that it is in for now. */
  readonly directory: string;
  readonly modelPath: string;
}

/** What {@link exportTagger} wrote. */
export interface ExportedTagger {
  /** Size and SHA-256 of every file, by its path inside the folder. */
  readonly files: ReadonlyMap<string, WrittenFile>;
  readonly modelType: string;
  readonly labels: readonly string[];
  /** Variants that were written. */
  readonly variants: readonly ModelVariant[];
}

const operation = "exportTagger";

/**
 * Writes taggers as one Hugging Face directory that transformers.js loads offline.
 *
 * Each model becomes `onnx/model.onnx` (float32), `onnx/model_quantized.onnx` (8 bits), `onnx/model_q4.onnx` (4 bits),
 * … by how its weights are stored. Labels, tokenizer and `config.json` come from the source's directory, or from what
 * the model file carries; without a float32 file `config.json` names the one that transformers.js shall take.
 * `model.safetensors` is written where the float32 weights have the names of a known family. Several sources must have
 * the same labels, tokenizer and family, and so must models that are in the folder already.
 *
 * @param models a model file or Hugging Face directory, or several that become one directory
 * @param output the folder; its other files stay, and on failure it is as it was
 * @throws TaggerError `not-exportable` (a tagger of whole words; inputs that transformers.js does not feed), `option`,
 *   `labels`, `tokenizer-mismatch`, `config` (the family is not known or differs), `not-found`, and those of
 *   `openTagger`; FormatError.
 * @example
 * ```ts
 * await exportTagger(["models/pos", "pos_int8.onnx"], "dist/pos"); // onnx/model.onnx and onnx/model_quantized.onnx
 * ```
 */
export async function exportTagger(
  models: string | readonly string[],
  output: string,
  { dtype, modelType, task, scheme, record = (model) => model, check }: ExportOptions = {},
): Promise<ExportedTagger> {
  const sources: ExportSource[] = [];
  for (const path of typeof models === "string" ? [models] : models) {
    sources.push(...(await readSources(path, dtype, { task, scheme })));
  }
  const existing = (await isHfDirectory(output)) ? await openHfDirectory(output) : undefined;
  const fresh = await withoutThoseThere(sources, existing);
  const first = fresh[0];
  if (first === undefined) {
    throw new TaggerError(
      "option",
      `${operation}: ${output}: models: expected at least one that is not in the folder already, got ${sources.length === 0 ? "none" : sources.map(({ variant }) => variant).join(", ")}`,
      { path: output },
    );
  }
  await checkAlike(sources, existing);
  const directory = sources.find((source) => source.directory !== undefined)?.directory ?? existing;
  const files = filesOf(sources, directory, modelType);
  const family = String(files.config["model_type"]);
  const { settings } = first;

  const contents = new Map<ModelVariant, AsyncIterable<Uint8Array> | Iterable<Uint8Array>>();
  const others = new Map<string, AsyncIterable<Uint8Array> | Iterable<Uint8Array>>();
  if (directory !== undefined && directory !== existing) {
    for (const [name, chunks] of await companionFiles(directory.path)) others.set(name, chunks);
  }
  for (const source of fresh) {
    const carried = { ...source.settings, huggingFace: files };
    const model = await withTagger(record(runnableModel(source.model, source.modelPath), source), carried);
    contents.set(source.variant, modelChunks(model));
    if (source.variant !== "fp32") continue;
    const weights = checkpointOf(source, model, files);
    if (weights !== undefined) others.set("model.safetensors", weights);
    else await refuseStaleCheckpoint(output);
  }
  const there = [...variantsThere(existing), ...contents.keys()];
  const preferred = there.includes("fp32")
    ? undefined
    : (there.find((variant) => variant === directory?.config.preferredDtype) ??
      modelVariants.find((variant) => variant === "q8" && there.includes(variant)) ??
      first.variant);
  const written = await writeHfDirectory(
    output,
    {
      config: labelledConfig(files.config, settings, preferred),
      tokenizerJson: directory?.tokenizerJson ?? wholeTokenizer(settings.tokenizer.json),
      tokenizerConfig: paddedTokenizerConfig(files.tokenizerConfig, settings),
      models: contents,
      files: others,
    },
    {
      async check(staged) {
        for (const source of fresh) {
          const { variant } = source;
          await (await openTagger(staged, { variant })).close();
          await check?.(
            { directory: staged, modelPath: join(staged, "onnx", modelFileName(variant)) },
            source,
          );
        }
      },
    },
  );
  return { files: written, modelType: family, labels: settings.labels, variants: [...contents.keys()] };
}

/** Sources less those that are files of the output folder itself; two for one file are refused. */
async function withoutThoseThere(
  sources: readonly ExportSource[],
  existing: HfDirectory | undefined,
): Promise<ExportSource[]> {
  const fresh: ExportSource[] = [];
  for (const source of sources) {
    const there = existing?.models.get(source.variant);
    if (there !== undefined && (await realpath(there)) === (await realpath(source.modelPath))) continue;
    const other = fresh.find(({ variant }) => variant === source.variant);
    if (other !== undefined) {
      throw new TaggerError(
        "option",
        `${operation}: ${source.modelPath}: dtype: expected a model that is not ${source.variant} (${modelFileName(source.variant)} is ${other.modelPath}), got a second; leave one out`,
        { path: source.modelPath, name: source.variant },
      );
    }
    fresh.push(source);
  }
  return fresh;
}

const variantsThere = (existing: HfDirectory | undefined): ModelVariant[] =>
  // transformers.js does not read compressed files.
  [...(existing?.models ?? [])].filter(([, path]) => path.endsWith(".onnx")).map(([variant]) => variant);

/** Refuses models that cannot stand in one directory: it has one list of labels and one tokenizer. */
async function checkAlike(
  sources: readonly ExportSource[],
  existing: HfDirectory | undefined,
): Promise<void> {
  const taggers = sources.map(({ modelPath, settings }) => ({ path: modelPath, settings }));
  if (existing !== undefined) {
    taggers.push({ path: existing.path, settings: settingsFromHf(existing, existing.path) });
  }
  const first = taggers[0];
  if (first === undefined) return;
  const identity = await identityOfTagger(first.settings);
  for (const { path, settings } of taggers.slice(1)) {
    const advice = "export it to a separate folder";
    if (settings.labels.join("\n") !== first.settings.labels.join("\n")) {
      throw new TaggerError(
        "labels",
        `${operation}: ${path}: labels: expected those of ${first.path} (${first.settings.labels.join(" ")}), got ${settings.labels.join(" ")}; ${advice}`,
        { path },
      );
    }
    if ((await identityOfTagger(settings)) !== identity) {
      throw new TaggerError(
        "tokenizer-mismatch",
        `${operation}: ${path}: tokenizer: expected that of ${first.path}, got another; ${advice}`,
        { path },
      );
    }
    const [expected, got] = [first.settings, settings].map(modelTypeOf);
    if (expected !== undefined && got !== undefined && expected !== got) {
      throw new TaggerError(
        "config",
        `${operation}: ${path}: model_type: expected ${expected} as in ${first.path}, got ${got}; ${advice}`,
        { path, name: "model_type" },
      );
    }
  }
}

const modelTypeOf = ({ huggingFace }: TransformerSettings): string | undefined => {
  const type = huggingFace?.config["model_type"];
  return typeof type === "string" ? type : undefined;
};

/**
 * `config.json` and `tokenizer_config.json` of the directory, of a source that carries them, or made up for a family.
 */
function filesOf(
  sources: readonly ExportSource[],
  directory: HfDirectory | undefined,
  modelType: string | undefined,
): HfFiles {
  const beside = directory && settingsFromHf(directory, directory.path).huggingFace;
  const files =
    beside ?? sources.find(({ settings }) => modelTypeOf(settings) !== undefined)?.settings.huggingFace;
  const known = files?.config["model_type"];
  const first = sources[0] as ExportSource;
  if (files !== undefined && typeof known !== "string" && modelType !== undefined) {
    return { ...files, config: { ...files.config, model_type: modelType } };
  }
  if (files !== undefined && known !== undefined) {
    if (modelType === undefined || modelType === known) return files;
    throw new TaggerError(
      "config",
      `${operation}: ${first.modelPath}: model_type: expected ${String(known)} as the model has it, got ${modelType}`,
      { path: first.modelPath, name: "model_type" },
    );
  }
  if (modelType !== undefined) return minimalFiles(first.settings, modelType);
  throw new TaggerError(
    "config",
    `${operation}: ${first.modelPath}: model_type: expected the family of the model (bert, roberta, …) in the file, got none; give the model type, or export from the Hugging Face directory that the file was made from`,
    { path: first.modelPath, name: "model_type" },
  );
}

/** `model.safetensors` of a float32 model: that of its directory, else its weights under the names of its family. */
function checkpointOf(
  { directory, modelPath }: ExportSource,
  model: ModelProto,
  { config }: HfFiles,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined {
  const isItsOwn = directory?.models.get("fp32") === modelPath || directory?.safetensorsPath === modelPath;
  if (isItsOwn && directory?.safetensorsPath !== undefined) return readChunks(directory.safetensorsPath);
  const tensors = familyTensors(config, model);
  if (tensors === undefined) return undefined;
  const history = getMetadata(model, "nasty.history");
  return safetensorsChunks(tensors, {
    format: "pt",
    ...(history === undefined ? {} : { "nasty.history": history }),
  });
}

/** Fine-tuning reads safetensors first: those of another model must not lie beside the new one. */
async function refuseStaleCheckpoint(output: string): Promise<void> {
  const path = join(output, "model.safetensors");
  if ((await stat(path).catch(() => undefined)) === undefined) return;
  throw new TaggerError(
    "not-exportable",
    `${operation}: ${path}: expected no weights beside the new model.onnx that are not its own, got the file of another model; name another folder`,
    { path },
  );
}
