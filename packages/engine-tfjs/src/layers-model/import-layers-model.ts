import { type Dimension, makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { TfjsError } from "../tfjs-error.js";
import { checkedPart } from "./checked-part.js";
import { giveOutputs, type LayerWriter, layerWriter } from "./layer-writer.js";
import type { Value } from "./value.js";
import { makeLayerContext } from "./layer-context.js";
import { optionsOf } from "./layer-options.js";
import { layerConverters } from "./layers/table.js";
import { type Layer, type LayerResult, readTopology, type Topology } from "./topology.js";
import { openWeights, type Weights } from "./weights.js";
import * as v from "valibot";

/** An input of the imported model. */
export interface ImportedInput {
  readonly name: string;
  /** int32 where only embeddings read it. */
  readonly dtype: "int32" | "float32";
  readonly shape: readonly Dimension[];
  /** Rows of the smallest embedding table that it is looked up in. */
  readonly rows?: number;
  /** Whether the id 0 is masked: padding, and never a word. */
  readonly masksZero: boolean;
}

/** An output of the imported model. */
export interface ImportedOutput {
  readonly name: string;
  readonly shape: readonly Dimension[];
  /** The function that was applied last, such as `softmax`. */
  readonly activation?: string;
}

/** A LayersModel as an ONNX model, and what is known about it. */
export interface ImportedModel {
  readonly model: ModelProto;
  readonly inputs: readonly ImportedInput[];
  readonly outputs: readonly ImportedOutput[];
  /** Name and class of each layer, in the order of the file. */
  readonly layers: readonly { readonly name: string; readonly className: string }[];
  /** Whether padding on the right changes nothing: every layer that reads neighbours knows where a row ends. */
  readonly ignoresPadding: boolean;
}

const ModelJson = v.looseObject({ modelTopology: v.unknown(), weightsManifest: v.unknown() });

/**
 * Turns a TensorFlow.js LayersModel into an ONNX model of standard operators (operator set 21) that computes the same
 * outputs.
 *
 * Sequential and Functional models, saved by TensorFlow.js or converted from Keras, float32 or quantized by the
 * converter. Dropout is left out. Values that are masked (`mask_zero`, Masking) must be padding at the end of a row:
 * recurrent layers get the number of the others as `sequence_lens`; what they give at masked positions is 0, where
 * TensorFlow.js repeats the last state.
 *
 * @param modelJson the parsed `model.json`, with `modelTopology` and `weightsManifest`
 * @param weightBytes the bytes of all shards, one after the other in the order of the manifest
 * @returns the model, inputs [batch, …] and outputs named as in TensorFlow.js
 * @throws TfjsError `invalid-model`, `unsupported-layer`, `unsupported-option` (with the layer's name),
 *   `invalid-weights`, `missing-weight`, `unused-weight`, `weight-shape`, `truncated-weights`, `not-finite`
 * @see TensorFlow.js 4.22, tfjs-layers; ONNX 1.22, operators LSTM, GRU, Conv, Gather
 * @example
 * ```ts
 * const { model } = importLayersModel(JSON.parse(modelJson), weights);
 * ```
 */
export function importLayersModel(modelJson: unknown, weightBytes: Uint8Array): ImportedModel {
  const json = checkedPart(ModelJson, modelJson, { code: "invalid-model", where: "content" });
  const topology = readTopology(json.modelTopology);
  const weights = openWeights(json.weightsManifest, weightBytes);
  const inputs = inputsOf(topology);
  const written = ModelGraph.empty(topology.name, { opsets: { "": 21 }, irVersion: 10 });
  for (const { name, dtype, shape } of inputs) written.main.addInput(makeValueInfo(name, dtype, shape));
  const writer = layerWriter(written.main);
  let ignoresPadding = true;
  const mixesTime = (isMasked: boolean): void => {
    ignoresPadding &&= isMasked;
  };
  const results = runLayers(topology, inputs, { writer, weights, mixesTime });
  const [unused] = weights.unused();
  if (unused !== undefined) {
    throw new TfjsError(
      "unused-weight",
      `importLayersModel: weight ${JSON.stringify(unused)}: expected a layer that has it, got none`,
      { tensor: unused },
    );
  }
  const outputs = outputsOf(topology, results);
  giveOutputs(
    written.main,
    outputs.map(({ value, name }) => ({
      value: writer.inLayout(value, "batch-first"),
      info: makeValueInfo(name, value.dtype, value.shape),
    })),
  );
  return {
    model: written.toModel(),
    inputs,
    outputs: outputs.map(({ value: { shape, activation }, name }) => ({
      name,
      shape,
      ...(activation !== undefined && { activation }),
    })),
    layers: topology.layers.map(({ name, className }) => ({ name, className })),
    ignoresPadding,
  };
}

interface Run {
  readonly writer: LayerWriter;
  readonly weights: Weights;
  readonly mixesTime: (isMasked: boolean) => void;
}

const keyOf = ({ layer, call }: LayerResult): string => `${call} ${layer}`;

/** Converts the calls of all layers, each when its inputs are there. */
function runLayers(
  { layers }: Topology,
  inputs: readonly ImportedInput[],
  run: Run,
): ReadonlyMap<string, Value> {
  const results = new Map<string, Value>();
  for (const { name, dtype, shape } of inputs) {
    results.set(keyOf({ layer: name, call: 0 }), { name, dtype, shape, layout: "batch-first" });
  }
  let waiting = layers.flatMap((layer) => layer.calls.map((from, call) => ({ layer, from, call })));
  while (waiting.length > 0) {
    const blocked: typeof waiting = [];
    for (const one of waiting) {
      const values = one.from.flatMap((result) => results.get(keyOf(result)) ?? []);
      if (values.length < one.from.length) {
        blocked.push(one);
        continue;
      }
      results.set(keyOf({ layer: one.layer.name, call: one.call }), runLayer(one.layer, values, run));
    }
    if (blocked.length === waiting.length) throw neverReady(blocked[0] as (typeof blocked)[number], results);
    waiting = blocked;
  }
  return results;
}

function runLayer(layer: Layer, values: readonly Value[], run: Run): Value {
  const { name, className } = layer;
  const convert = Object.hasOwn(layerConverters, className) ? layerConverters[className] : undefined;
  if (convert !== undefined) return convert(makeLayerContext({ layer, ...run }), values);
  throw new TfjsError(
    "unsupported-layer",
    `importLayersModel: layer ${JSON.stringify(name)}: class: expected one of ${Object.keys(layerConverters).join(", ")}, got ${JSON.stringify(className)}`,
    { node: name, operator: className },
  );
}

function neverReady(
  { layer: { name, className }, from }: { layer: Layer; from: readonly LayerResult[] },
  results: ReadonlyMap<string, Value>,
): TfjsError {
  const missing = from.find((result) => !results.has(keyOf(result)));
  return new TfjsError(
    "invalid-model",
    `importLayersModel: layer ${JSON.stringify(name)} (${className}): input: expected a result of a layer before it, got call ${missing?.call} of ${JSON.stringify(missing?.layer)}`,
    { node: name, operator: className },
  );
}

function inputsOf({ layers }: Topology): ImportedInput[] {
  const found = layers.filter(({ className }) => className === "InputLayer");
  return found.map((layer, place) => {
    const consumers = layers.filter(({ calls }) =>
      calls.flat().some((result) => result.layer === layer.name),
    );
    const tables = consumers.filter(({ className }) => className === "Embedding");
    const rows = tables.map((table) => tableRows(table));
    const isIds = tables.length > 0 && tables.length === consumers.length;
    return {
      name: layer.name,
      dtype: isIds ? "int32" : dtypeOf(layer),
      shape: inputShape(layer, place === 0 ? "length" : `${layer.name}_length`),
      masksZero: tables.some(({ config }) => config["mask_zero"] === true),
      ...(rows.length > 0 && { rows: Math.min(...rows) }),
    };
  });
}

const tableRows = (layer: Layer): number => optionsOf(layer, Object.keys(layer.config)).count("input_dim");

function dtypeOf(layer: Layer): "int32" | "float32" {
  const { dtype } = layer.config;
  if (dtype === "int32" || dtype === "int64") return "int32";
  if (dtype === undefined || dtype === null || dtype === "float32") return "float32";
  throw optionsOf(layer, Object.keys(layer.config)).unsupported("dtype", "float32 or int32");
}

/** Batches of any size, whatever size training had; other open dimensions get a name. */
function inputShape(layer: Layer, lengthName: string): Dimension[] {
  const options = optionsOf(layer, []);
  const shape = options.value("batch_input_shape") ?? options.value("batch_shape");
  const isShape =
    Array.isArray(shape) &&
    shape.length > 0 &&
    shape.every((size) => size === null || (Number.isSafeInteger(size) && size > 0));
  if (!isShape) {
    throw new TfjsError(
      "invalid-model",
      `importLayersModel: layer ${JSON.stringify(layer.name)} (InputLayer): batch_input_shape: expected a list of sizes and null, got ${JSON.stringify(shape) ?? "nothing"}`,
      { node: layer.name, operator: layer.className },
    );
  }
  return shape.map((size: number | null, axis) => {
    if (axis === 0) return "batch";
    return size ?? (axis === 1 ? lengthName : `${lengthName}_${axis}`);
  });
}

/** Outputs named after their layers; a second one of the same layer is numbered. */
function outputsOf(
  { outputs }: Topology,
  results: ReadonlyMap<string, Value>,
): { readonly name: string; readonly value: Value }[] {
  const names = new Map<string, number>();
  return outputs.map((output) => {
    const value = results.get(keyOf(output));
    if (value === undefined) {
      throw new TfjsError(
        "invalid-model",
        `importLayersModel: model.json: output_layers: expected results of layers, got call ${output.call} of ${JSON.stringify(output.layer)}`,
        { node: output.layer },
      );
    }
    const count = names.get(output.layer) ?? 0;
    names.set(output.layer, count + 1);
    return { name: count === 0 ? output.layer : `${output.layer}_${count}`, value };
  });
}
