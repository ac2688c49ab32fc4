import { estimate, madeFeeds, measureDrift, type OutputDrift, referenceOf } from "@nasty/compression";
import { elementCount } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { makeEncoder, taggerMetadata } from "@nasty/taggers";
import { type LoadedModel, openLoaded } from "@nasty/taggers/web";
import { type FlippedWord, flippedWords } from "../page/flipped-words.js";
import type { Quantized } from "./quantize-model.js";

/** A weight of the model. */
export interface Layer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** What is in a model, and how small it would become. */
export interface Inspected {
  readonly name: string;
  /** Of the `.onnx` file itself, unpacked. */
  readonly modelBytes: number;
  readonly parameters: number;
  /** The largest weights first. */
  readonly layers: readonly Layer[];
  /** Of all weights. */
  readonly weightBytes: number;
  readonly sizes: readonly { readonly mode: string; readonly bytes: number; readonly ratio: number }[];
  readonly labels: readonly string[] | undefined;
  /** Why it cannot tag, where it cannot. */
  readonly reason: string | undefined;
  readonly notes: readonly string[];
}

/** Describes a model from its graph alone. */
export async function inspectModel(loaded: LoadedModel): Promise<Inspected> {
  const { model, name, bytes: unpacked, settings, reason, notes } = loaded;
  const carried = settings === undefined ? {} : await taggerMetadata(settings);
  const extraBytes = model.metadataProps.some(({ key }) => key === "nasty.tagger")
    ? 0
    : Object.entries(carried).reduce((sum, [key, value]) => sum + key.length + value.length + 12, 0);
  const { parameters, sizes } = estimate(model, { extraBytes });
  const layers = layersOf(model);
  return {
    name,
    modelBytes: unpacked.length,
    parameters,
    layers,
    weightBytes: layers.reduce((sum, { bytes }) => sum + bytes, 0),
    sizes: [
      { mode: "as it is", bytes: sizes.float32.bytes, ratio: 1 },
      { mode: "dynamic INT8", ...sizes.dynamic },
      { mode: "static INT8", ...sizes.static },
      { mode: "INT4", ...sizes.int4 },
    ],
    labels: settings?.labels,
    reason,
    notes,
  };
}

function layersOf({ graph }: ModelProto): Layer[] {
  return (graph?.initializer ?? [])
    .map(({ name, dims, rawData, floatData }) => {
      const shape = dims.map(Number);
      return { name, shape, bytes: rawData.length || floatData.length * 4 || elementCount(shape) };
    })
    .sort((a, b) => b.bytes - a.bytes);
}

/** How a quantized model compares with its original. */
export interface Compared {
  readonly drift: readonly OutputDrift[];
  readonly words: number;
  /** Undefined where the model cannot tag, or there is no text. */
  readonly changed: readonly FlippedWord[] | undefined;
}

/** Most sentences that outputs are compared on. */
const sampled = 8;

/** Runs both models on the text, or on made inputs where it cannot be encoded. */
export async function compareModels(
  loaded: LoadedModel,
  quantized: Pick<Quantized, "model" | "bytes">,
  sentences: readonly (readonly string[])[],
): Promise<Compared> {
  const reference = await referenceOf(loaded.model, await candidatesOf(loaded, sentences));
  const drift = reference === undefined ? [] : await measureDrift(reference, quantized.bytes);
  const { settings } = loaded;
  if (settings === undefined || sentences.length === 0) return { drift, words: 0, changed: undefined };
  const before = await labelsOf({ ...loaded, settings }, sentences);
  const after = await labelsOf({ ...loaded, ...quantized, settings }, sentences);
  const changed = flippedWords(sentences, before, after);
  return { drift, words: before.reduce((sum, { length }) => sum + length, 0), changed };
}

async function candidatesOf({ model, settings }: LoadedModel, sentences: readonly (readonly string[])[]) {
  if (settings === undefined || sentences.length === 0) {
    return [8, 512].flatMap((length) => {
      const feeds = madeFeeds(model, { length });
      return feeds === undefined ? [] : [[{ feeds }]];
    });
  }
  const batches = [];
  const encoder = await makeEncoder(model, settings);
  for await (const batch of encoder.feedsOf(sentences.slice(0, sampled), { batchSize: 1 }))
    batches.push(batch);
  return [batches];
}

/** Labels of each sentence; the tagger is opened for it. */
export async function labelsOf(
  loaded: Parameters<typeof openLoaded>[0],
  sentences: readonly (readonly string[])[],
): Promise<(readonly string[])[]> {
  const tagger = await openLoaded(loaded);
  try {
    const all: (readonly string[])[] = [];
    for await (const labels of tagger.tag(sentences)) all.push(labels);
    return all;
  } finally {
    await tagger.close();
  }
}
