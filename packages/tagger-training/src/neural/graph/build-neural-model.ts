import { makeValueInfo, type ModelProto, type ValueInfoProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import {
  affixCount,
  auxiliaryOutput,
  chainOutputs,
  type FeatureSettings,
  logitsOutput,
} from "@nasty/taggers/neural";
import type { Architecture } from "../architecture.js";
import { type Context, writeBilstm } from "./bilstm.js";
import { writeCnn } from "./cnn.js";
import { checkEmbedding, writeEmbedder } from "./embedder.js";
import { type LayerWriter, layerWriter } from "./layer-writer.js";

export interface NeuralModelOptions {
  readonly features: FeatureSettings;
  readonly architecture: Architecture;
  /** First values of the codebooks of word codes, float32 [books · 256, width]; random ones otherwise. */
  readonly codebooks?: Float32Array | undefined;
  /** How many labels. */
  readonly labels: number;
  /** Scores of label sequences, for a conditional random field. */
  readonly chain?: boolean;
  /** More heads that help while training, with how many labels each has. */
  readonly auxiliary?: Readonly<Record<string, number>>;
  /** Seed of the first weights. Default 1. */
  readonly seed?: number;
}

/**
 * Builds the graph of a tagger with random weights: integer ids in, label scores out.
 *
 * Inputs, all int32 unless said: `word_ids` [U], `affix_ids` [U, A], `shape_ids` [U], `character_ids` [U, C] (0 after
 * the end of a word) and `code_ids` [U, books] (with word codes) describe U distinct words; `word_index` [B, T] places
 * them; `lengths` [B] (bilstm) or `mask` float32 [B, T] (cnn) says which places are words. Output `logits` float32 [B,
 * T, labels], `logits_NAME` for each auxiliary head; with `chain` also the parameters of the label sequence,
 * `transitions` [labels, labels] (from, to), `start` and `end` [labels]. All weights are named initializers; Dropout
 * nodes `dropout/…` do nothing until a training graph switches them on.
 *
 * @returns operator set 21; the same weights for the same options.
 * @throws RangeError for parts of different width that are to be added.
 *
 * @example
 * ```ts
 * const { architecture } = architectures.cnn;
 * const model = buildNeuralModel({ features, architecture, labels: 17 });
 * ```
 */
export function buildNeuralModel(options: NeuralModelOptions): ModelProto {
  const { features, architecture, labels, chain = false, auxiliary = {}, seed = 1 } = options;
  checkEmbedding(architecture.embedding);
  const model = ModelGraph.empty(`nasty-${architecture.kind}`, { opsets: { "": 21 }, irVersion: 10 });
  for (const input of inputsOf(features, architecture)) model.main.addInput(input);
  const writer = layerWriter(model.main, seed);
  writeEmbedder(writer, features, architecture.embedding, options.codebooks);
  const context = writeContext(writer, architecture);
  const dropped = {
    ...context,
    value: writer.dropout(context.value, "dropout/output", architecture.outputDropout),
  };
  const heads = [{ name: logitsOutput, labels }, ...auxiliaryHeads(auxiliary)];
  for (const head of heads) writeHead(writer, dropped, head);
  const outputs = heads.map(({ name, labels: count }) =>
    makeValueInfo(name, "float32", ["batch", "length", count]),
  );
  if (chain) outputs.push(...writeChain(writer, labels));
  for (const output of outputs) model.main.addOutput(output);
  return model.toModel();
}

const auxiliaryHeads = (auxiliary: Readonly<Record<string, number>>): { name: string; labels: number }[] =>
  Object.entries(auxiliary).map(([head, labels]) => ({ name: auxiliaryOutput(head), labels }));

function writeContext(writer: LayerWriter, architecture: Architecture): Context {
  switch (architecture.kind) {
    case "bilstm":
      return writeBilstm(writer, architecture);
    case "cnn":
      return writeCnn(writer, architecture);
    default:
      return architecture satisfies never;
  }
}

function writeHead(
  writer: LayerWriter,
  context: Context,
  { name, labels }: { name: string; labels: number },
): void {
  const scores = writer.linear(context.value, `head.${name}`, { inputs: context.width, outputs: labels });
  if (context.lengthFirst) writer.named(name, "Transpose", [scores], { perm: [1, 0, 2] });
  else writer.named(name, "Identity", [scores]);
}

function writeChain(writer: LayerWriter, labels: number): ValueInfoProto[] {
  const output = (name: string, shape: readonly number[]): ValueInfoProto => {
    writer.named(name, "Identity", [writer.weight(`chain.${name}`, shape, { bound: 0.01 })]);
    return makeValueInfo(name, "float32", shape);
  };
  return [
    output(chainOutputs.transitions, [labels, labels]),
    output(chainOutputs.start, [labels]),
    output(chainOutputs.end, [labels]),
  ];
}

function inputsOf(features: FeatureSettings, { kind, embedding }: Architecture): ValueInfoProto[] {
  return [
    makeValueInfo("word_ids", "int32", ["words"]),
    makeValueInfo("affix_ids", "int32", ["words", affixCount(features)]),
    makeValueInfo("shape_ids", "int32", ["words"]),
    ...(embedding.characters === undefined
      ? []
      : [makeValueInfo("character_ids", "int32", ["words", "characters"])]),
    ...(embedding.codes === undefined || features.codes === undefined
      ? []
      : [makeValueInfo("code_ids", "int32", ["words", features.codes.books])]),
    makeValueInfo("word_index", "int32", ["batch", "length"]),
    kind === "bilstm"
      ? makeValueInfo("lengths", "int32", ["batch"])
      : makeValueInfo("mask", "float32", ["batch", "length"]),
  ];
}
