import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readChunks, readFileMaybeCompressed } from "@nasty/formats/archive/node";
import type { ModelVariant } from "@nasty/formats/hf";
import { type HfDirectory, isHfDirectory, openHfDirectory } from "@nasty/formats/hf/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { parseSafetensors } from "@nasty/formats/safetensors";
import { checkFiniteTensors, checkFiniteWeights } from "@nasty/graph";
import { buildEncoder } from "../encoders/build-encoder.js";
import { familyOf } from "../encoders/families.js";
import { settingsOfModelFile } from "../open-tagger.js";
import { withChoice } from "../label-choice.js";
import type { LabelChoice } from "../task.js";
import { TaggerError } from "../tagger-error.js";
import { settingsFromHf, type TransformerSettings } from "../transformer/settings.js";
import { identityOfTagger } from "./directory-files.js";
import { modelVariantOf } from "./model-variant.js";

/** A model to be exported. */
export interface ExportSource {
  /** Path of the model file, or of the checkpoint that it was built from. */
  readonly modelPath: string;
  /** SHA-256 of that file, hexadecimal. */
  readonly sha256: string;
  readonly variant: ModelVariant;
  readonly model: ModelProto;
  readonly settings: TransformerSettings;
  /** Where the tokenizer's files are, if they are on the disk. */
  readonly directory: HfDirectory | undefined;
}

/**
 * Reads what a path holds: a model file, all variants of a Hugging Face directory, or one of them.
 *
 * @throws TaggerError `not-exportable` for a tagger without a subword tokenizer, `option`, `tokenizer-missing`, …;
 *   FormatError
 */
export async function readSources(
  path: string,
  wanted: ModelVariant | undefined,
  choice: LabelChoice = {},
): Promise<ExportSource[]> {
  const sources = (await isHfDirectory(path))
    ? await fromDirectory(path, wanted)
    : [await fromFile(path, wanted)];
  return sources.map((source) => ({
    ...source,
    settings: withChoice(source.settings, choice, { where: path }),
  }));
}

async function fromFile(path: string, wanted: ModelVariant | undefined): Promise<ExportSource> {
  const model = await readSound(path);
  const settings = await settingsOfModelFile(path, model);
  if (settings.kind !== "transformer") {
    throw new TaggerError(
      "not-exportable",
      `exportTagger: ${path}: tagger: expected a transformer with a subword tokenizer, got a ${settings.kind} tagger of whole words, for which a Hugging Face directory has no place; ship the model file itself, it carries its tagger, or export it as a module (--target module)`,
      { path },
    );
  }
  return {
    modelPath: path,
    sha256: await sha256Of(path),
    variant: modelVariantOf(model, wanted),
    model,
    settings,
    directory: await directoryBeside(path, settings),
  };
}

async function readSound(path: string): Promise<ModelProto> {
  const model = await readModelFile(path);
  checkFiniteWeights(model, `exportTagger: ${path}`);
  return model;
}

/** The Hugging Face directory that a model file lies in, if it has the same labels and tokenizer. */
async function directoryBeside(
  path: string,
  settings: TransformerSettings,
): Promise<HfDirectory | undefined> {
  const folder = dirname(path);
  for (const candidate of basename(folder) === "onnx" ? [dirname(folder), folder] : [folder]) {
    if (!(await isHfDirectory(candidate))) continue;
    const directory = await openHfDirectory(candidate).catch(() => undefined);
    if (directory === undefined) continue;
    const own = settingsFromHf(directory, candidate);
    if ((await identityOfTagger(own)) === (await identityOfTagger(settings))) return directory;
  }
  return undefined;
}

async function fromDirectory(path: string, wanted: ModelVariant | undefined): Promise<ExportSource[]> {
  const directory = await openHfDirectory(path);
  const settings = settingsFromHf(directory, path);
  if (directory.models.size === 0 && (wanted ?? "fp32") === "fp32") {
    return [await fromCheckpoint(directory, settings)];
  }
  const variants = wanted === undefined ? [...directory.models.keys()] : [wanted];
  const sources: ExportSource[] = [];
  for (const variant of variants) {
    const modelPath = directory.modelPath(variant);
    const model = await readSound(modelPath);
    sources.push({ modelPath, sha256: await sha256Of(modelPath), variant, model, settings, directory });
  }
  return sources;
}

/** A model of a directory that has weights but no graph: the graph is that of its family. */
async function fromCheckpoint(directory: HfDirectory, settings: TransformerSettings): Promise<ExportSource> {
  const { path, config, safetensorsPath } = directory;
  if (safetensorsPath === undefined || familyOf(config.modelType) === undefined) {
    const expected =
      safetensorsPath === undefined ? "onnx/model.onnx or model.safetensors" : "onnx/model.onnx";
    throw new TaggerError(
      "not-found",
      `exportTagger: ${path}: weights: expected ${expected} (model_type ${JSON.stringify(config.modelType)}), got none`,
      { path },
    );
  }
  const tensors = parseSafetensors(await readFileMaybeCompressed(safetensorsPath));
  checkFiniteTensors(tensors, `exportTagger: ${safetensorsPath}`);
  const rows = tensors.get("classifier.weight")?.shape[0];
  if (rows !== settings.labels.length) {
    throw new TaggerError(
      "checkpoint",
      `exportTagger: ${safetensorsPath}: tensor "classifier.weight": expected a row for each of the ${settings.labels.length} labels of config.json, got ${rows ?? "no such tensor"}; fine-tune the encoder first`,
      { path: safetensorsPath, name: "classifier.weight" },
    );
  }
  return {
    modelPath: safetensorsPath,
    sha256: await sha256Of(safetensorsPath),
    variant: "fp32",
    model: buildEncoder(config.raw, tensors),
    settings,
    directory,
  };
}

/** Files of a tokenizer that other programs read; transformers.js and this package need none of them. */
const companions = [
  "vocab.txt",
  "vocab.json",
  "merges.txt",
  "special_tokens_map.json",
  "added_tokens.json",
  "sentencepiece.bpe.model",
  "spiece.model",
  "tokenizer.model",
];

/** The bytes of those of a directory's tokenizer files that are there. */
export async function companionFiles(path: string): Promise<Map<string, AsyncIterable<Uint8Array>>> {
  const there = new Set(await readdir(path));
  return new Map(
    companions.filter((name) => there.has(name)).map((name) => [name, readChunks(join(path, name))]),
  );
}

/** Of the file as it lies there, compressed or not. */
async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 22 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
