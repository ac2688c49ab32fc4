import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Tensor, toFloat32 } from "@nasty/core";
import { readFileMaybeCompressed } from "@nasty/formats/archive/node";
import {
  type ModelConfig,
  parseModelConfig,
  parseTokenizerConfig,
  parseTokenizerFile,
} from "@nasty/formats/hf";
import { readTokenizer } from "@nasty/formats/hf/node";
import { parseJson } from "@nasty/formats/json";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { parseSafetensors } from "@nasty/formats/safetensors";
import { checkFiniteTensors, checkFiniteWeights, transposeTensor } from "@nasty/graph";
import { type HfParts, settingsFromHf, TaggerError, type TransformerSettings } from "@nasty/taggers";
import { buildEncoder, familyOf } from "@nasty/taggers/encoders";
import { cutHead, type HeadlessEncoder } from "./cut-head.js";

type Json = Readonly<Record<string, unknown>>;

/** What fine-tuning starts from: an encoder with its Hugging Face files. */
export interface BaseModel {
  /** Any encoder graph whose weights are float32, with a head or without. */
  readonly model: ModelProto;
  /** `config.json` as parsed; labels are not needed. */
  readonly config: Json;
  /** `tokenizer.json` as parsed. */
  readonly tokenizerJson: Json;
  /** `tokenizer_config.json` as parsed. */
  readonly tokenizerConfig: Json;
  /**
   * Name of the last hidden state, where it is neither an output `last_hidden_state` nor what a linear head multiplies.
   */
  readonly hidden?: string;
}

/** A base model ready to get a head. */
export interface OpenBase extends HeadlessEncoder {
  readonly config: Json;
  readonly tokenizerJson: Json;
  readonly tokenizerConfig: Json;
  /** Tokenizer and positions; the labels are those of the base and do not count. */
  readonly settings: TransformerSettings;
  /** Ratio of dropout before the head. */
  readonly classifierDropout: number;
  /** Ratio of dropout in a head for whole texts. */
  readonly sequenceDropout: number;
  /** Labels of its head in the order of the logits; undefined if config.json names none. */
  readonly labels: readonly string[] | undefined;
  /** The checkpoint that the encoder was built from; undefined for one from ONNX. */
  readonly tensors: ReadonlyMap<string, Tensor> | undefined;
}

/**
 * Opens a base model, without its head.
 *
 * A directory with `model.safetensors` of a family that {@link buildEncoder} knows is built from it; else its float32
 * ONNX file (`onnx/model.onnx` or `model.onnx`) is taken.
 *
 * @throws TaggerError `not-found` for a directory with neither, `config`, `checkpoint`, `model-outputs`, `tokenizer`;
 *   FormatError for files that cannot be read.
 */
export async function openBase(base: string | BaseModel): Promise<OpenBase> {
  const found: FoundBase = typeof base === "string" ? await readBase(base) : base;
  const { config, tokenizerJson, tokenizerConfig } = found;
  const where = typeof base === "string" ? base : "base model";
  const headless = cutHead(found.model, found.hidden);
  const settings = settingsFromHf(partsOf(config, tokenizerJson, tokenizerConfig), where);
  const head = headless.head ?? found.head;
  return {
    ...headless,
    // A head with another number of outputs than config.json has labels is one of another task.
    head: head?.bias.length === settings.labels.length ? head : undefined,
    config,
    tokenizerJson,
    tokenizerConfig,
    settings,
    classifierDropout: firstRatio(config, ["classifier_dropout", ...dropoutKeys], 0.1),
    sequenceDropout: firstRatio(config, ["seq_classif_dropout", "classifier_dropout", ...dropoutKeys], 0.1),
    labels: hasLabels(config) ? settings.labels : undefined,
    tensors: found.tensors,
  };
}

/** What a directory has beside the model. */
interface FoundBase extends BaseModel, Pick<HeadlessEncoder, "head"> {
  readonly tensors?: ReadonlyMap<string, Tensor>;
}

const dropoutKeys = ["hidden_dropout_prob", "dropout"];

/**
 * The first that is there of the keys that the families have for it; the graph of an ONNX file needs no others of
 * config.json.
 */
function firstRatio(config: Json, keys: readonly string[], otherwise: number): number {
  for (const key of keys) {
    const ratio = config[key];
    if (typeof ratio === "number" && ratio >= 0 && ratio < 1) return ratio;
  }
  return otherwise;
}

/** The small files as parsed by the readers; labels that are not there yet do not matter. */
export function partsOf(config: Json, tokenizerJson: Json, tokenizerConfig: Json): HfParts {
  return {
    config: partialConfig(config),
    tokenizerJson: parseTokenizerFile(JSON.stringify(tokenizerJson)).raw,
    tokenizerConfig: parseTokenizerConfig(JSON.stringify(tokenizerConfig)),
  };
}

/** `config.json` of a model that need have no labels yet. */
function partialConfig(config: Json): ModelConfig {
  return parseModelConfig(JSON.stringify(hasLabels(config) ? config : { ...config, num_labels: 1 }));
}

const labelKeys = ["id2label", "label2id", "num_labels"];
const hasLabels = (config: Json): boolean => labelKeys.some((key) => config[key] != null);

/** The linear head of a checkpoint, whose weight is [labels, width]. */
function headOf(tensors: ReadonlyMap<string, Tensor>): HeadlessEncoder["head"] {
  const [weight, bias] = [tensors.get("classifier.weight"), tensors.get("classifier.bias")];
  if (weight?.shape.length !== 2 || bias?.shape.length !== 1 || weight.shape[0] !== bias.shape[0])
    return undefined;
  return { weight: toFloat32(transposeTensor(weight, [1, 0])), bias: toFloat32(bias) };
}

async function readBase(path: string): Promise<FoundBase> {
  const config = withFamily(await readJson(join(path, "config.json")));
  const { tokenizer, tokenizerConfig } = await readTokenizer(path);
  const parts = { config, tokenizerJson: tokenizer.raw, tokenizerConfig: tokenizerConfig.raw };
  const checkpoint = join(path, "model.safetensors");
  const isKnown = familyOf(String(config["model_type"])) !== undefined;
  if (isKnown && (await exists(checkpoint))) {
    const tensors = parseSafetensors(await readFileMaybeCompressed(checkpoint));
    checkFiniteTensors(tensors, `fineTune: ${checkpoint}`);
    const model = buildEncoder(config, tensors, { head: "none", dropout: true, prefixed: true });
    return { ...parts, model, head: headOf(tensors), tensors };
  }
  for (const name of ["onnx/model.onnx", "model.onnx"]) {
    const file = join(path, name);
    if (!(await exists(file))) continue;
    const model = await readModelFile(file);
    checkFiniteWeights(model, `fineTune: ${file}`);
    return { ...parts, model };
  }
  const weights = isKnown
    ? "model.safetensors, onnx/model.onnx or model.onnx"
    : "onnx/model.onnx or model.onnx";
  throw new TaggerError(
    "not-found",
    `fineTune: ${path}: weights: expected ${weights} (model_type ${JSON.stringify(config["model_type"])}), got none of them`,
    { path },
  );
}

/** `config.json` with the family that its other keys tell. */
function withFamily(config: Json): Json {
  const { modelType } = partialConfig(config);
  return modelType === undefined ? config : { ...config, model_type: modelType };
}

async function readJson(path: string): Promise<Json> {
  const bytes = await readFileMaybeCompressed(path);
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse(path, "JSON", (cause as Error).message, cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw refuse(path, "a JSON object", Array.isArray(value) ? "a list" : typeof value);
}

function refuse(path: string, expected: string, got: string, cause?: unknown): TaggerError {
  return new TaggerError("config", `fineTune: ${path}: content: expected ${expected}, got ${got}`, {
    path,
    cause,
  });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
