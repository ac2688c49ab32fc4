import { collectRanges } from "@nasty/calibration";
import {
  apply,
  int8,
  pairedFor,
  plan as planModel,
  prepareModel,
  type Provenance,
  type QuantizationPlan,
  type QuantizedTensor,
} from "@nasty/compression";
import { type ModelProto, serializeModel } from "@nasty/formats/onnx";
import { makeEncoder, segmentText, withTagger } from "@nasty/taggers";
import type { LoadedModel } from "@nasty/taggers/web";
import type { TaskProgress } from "../page/task.js";

/** The modes of the page. */
export const modes = ["dynamic", "static", "int4"] as const;
export type Mode = (typeof modes)[number];

/** What to make of a model. */
export interface QuantizeJob {
  readonly mode: Mode;
  /** Text that the ranges of static mode are measured on. */
  readonly text: string;
  /** Versions that the model's history records. */
  readonly versions: Readonly<Record<string, string>>;
  readonly onProgress: (progress: TaskProgress) => void;
}

/** A quantized model file, and what each weight lost. */
export interface Quantized {
  readonly model: ModelProto;
  readonly bytes: Uint8Array;
  readonly tensors: readonly QuantizedTensor[];
  readonly warnings: readonly string[];
}

/** Sentences of a text, as words of the model's language. */
export const sentencesOf = (text: string, language?: string): (readonly string[])[] =>
  segmentText(text, { language }).map(({ words }) => words.map(({ form }) => form));

/**
 * Quantizes a model with the defaults of `nasty quantize`: the same file gives the same bytes there and here.
 *
 * @throws errors of the packages, whose messages say what to do
 */
export async function quantizeModel(loaded: LoadedModel, job: QuantizeJob): Promise<Quantized> {
  const { mode, onProgress } = job;
  onProgress({ stage: "Ordering hidden units" });
  const { model, layers } =
    mode === "int4" ? { model: loaded.model, layers: 0 } : pairedFor(loaded.model, {});
  const made = await planOf({ ...loaded, model }, job);
  const plan = {
    ...made,
    options: { ...made.options, ...(layers > 0 && { pairedLayers: layers }) },
    warnings: [...new Set([...prepareModel(loaded.model).changes, ...made.warnings])],
  };
  onProgress({ stage: `Quantizing ${plan.tensors.length} weights` });
  const { model: applied, report } = await apply(model, plan, {
    provenance: await provenanceOf(loaded, job),
  });
  const finished = loaded.settings === undefined ? applied : await withTagger(applied, loaded.settings);
  return {
    model: finished,
    bytes: serializeModel(finished),
    tensors: report.tensors,
    warnings: report.warnings,
  };
}

async function planOf(
  { name, model, settings }: LoadedModel,
  { mode, text, onProgress }: QuantizeJob,
): Promise<QuantizationPlan> {
  const weights = { symmetric: true, skipLayers: [], perChannel: true, reduceRange: false };
  if (mode === "dynamic") return planModel(model, { mode, ...weights });
  if (mode === "int4") return planModel(model, { mode, ...weights, rounding: "nearest" });
  if (settings === undefined) {
    throw new Error(
      `${name}: static quantization: expected labels and a tokenizer in the file or beside it (the text must be encoded), got none; choose the Hugging Face folder, or dynamic`,
    );
  }
  const sentences = sentencesOf(text, settings.language);
  if (sentences.length === 0) {
    throw new Error(
      "Static quantization: text: expected at least one sentence to measure ranges on, got none",
    );
  }
  const options = { ...weights, activationSymmetric: false };
  const encoder = await makeEncoder(model, settings);
  const table = await collectRanges(
    model,
    int8.activations(model, options),
    encoder.feedsOf(sentences, { batchSize: 1 }),
    {
      method: "minmax",
      scheme: { dtype: "uint8", symmetric: false },
      onProgress: (done) => onProgress({ stage: "Calibrating", done, total: sentences.length }),
    },
  );
  return planModel(model, { mode, ...options, calibrationTable: table });
}

async function provenanceOf(
  { file }: LoadedModel,
  { mode, text, versions }: QuantizeJob,
): Promise<Provenance> {
  return {
    inputSha256: await sha256(file),
    ...(mode === "static" && { data: { calibration: [await sha256(new TextEncoder().encode(text))] } }),
    versions,
  };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
