import { makeValueInfo, type ValueInfoProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { affixCount, type FeatureSettings } from "@nasty/taggers/neural";
import type { Architecture } from "../architecture.js";
import { type Context, writeBilstm } from "./bilstm.js";
import { writeCnn } from "./cnn.js";
import { corporaInputOf } from "./corpora.js";
import { checkEmbedding, writeEmbedder } from "./embedder.js";
import { type LayerWriter, layerWriter } from "./layer-writer.js";

export interface EncoderOptions {
  readonly features: FeatureSettings;
  readonly architecture: Architecture;
  /** First values of the codebooks of word codes, float32 [books · 256, width]; random ones otherwise. */
  readonly codebooks?: Float32Array | undefined;
  /** How many corpora have a vector of their own, see `addCorpora`. Default 0. */
  readonly corpora?: number | undefined;
  /** Seed of the first weights. Default 1. */
  readonly seed?: number;
}

/** A graph of everything but heads, and what writes these. */
export interface Encoder {
  readonly graph: ModelGraph;
  readonly writer: LayerWriter;
  /** What a head reads, behind its dropout. */
  readonly context: Context;
}

/**
 * Begins a graph: from integer ids to the values of each word in its sentence, with random weights, which are the same
 * for the same options whatever heads follow.
 *
 * Inputs, all int32 unless said: `word_ids` [U], `affix_ids` [U, A], `shape_ids` [U], `character_ids` [U, C] (0 after
 * the end of a word) and `code_ids` [U, books] (with word codes) describe U distinct words; `word_index` [B, T] places
 * them; `lengths` [B] (bilstm) or `mask` float32 [B, T] (cnn) says which places are words. Dropout nodes `dropout/…` do
 * nothing until a training graph switches them on. Operator set 21.
 *
 * @throws RangeError for parts of different width that are to be added.
 */
export function beginEncoder({
  features,
  architecture,
  codebooks,
  corpora,
  seed = 1,
}: EncoderOptions): Encoder {
  checkEmbedding(architecture.embedding);
  const graph = ModelGraph.empty(`nasty-${architecture.kind}`, { opsets: { "": 21 }, irVersion: 10 });
  for (const input of [...inputsOf(features, architecture), ...corporaInputOf(corpora)])
    graph.main.addInput(input);
  const writer = layerWriter(graph.main, seed);
  writeEmbedder(writer, features, architecture.embedding, codebooks);
  const context = writeContext(writer, architecture, corpora);
  const value = writer.dropout(context.value, "dropout/output", architecture.outputDropout);
  return { graph, writer, context: { ...context, value } };
}

function writeContext(writer: LayerWriter, architecture: Architecture, corpora: number | undefined): Context {
  switch (architecture.kind) {
    case "bilstm":
      return writeBilstm(writer, architecture, corpora);
    case "cnn":
      return writeCnn(writer, architecture, corpora);
    default:
      return architecture satisfies never;
  }
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
