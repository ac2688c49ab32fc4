import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import type { Tensor } from "@nasty/core";
import { ModelGraph } from "@nasty/graph";
import {
  encoderWriter,
  type SequenceHeadNames,
  type SequenceHeadWeights,
  writeSequenceHead,
} from "@nasty/taggers/encoders";
import { seededRandom } from "@nasty/training";
import type { HeadlessEncoder } from "../fine-tuning/cut-head.js";

export interface SequenceHeadOptions {
  readonly names: SequenceHeadNames;
  readonly labels: number;
  /** Ratio of its Dropout nodes. */
  readonly dropout: number;
  readonly seed: number;
  /** Standard deviation of fresh weights. Default 0.02. */
  readonly deviation?: number;
  /** Layers to start from instead of random ones. */
  readonly start: { readonly [K in keyof SequenceHeadWeights]: SequenceHeadWeights[K] | undefined };
}

/**
 * Puts a head for whole texts on an encoder; a fresh layer is normal with a small deviation, its bias 0.
 *
 * @returns a model with the output `logits` [batch, labels] alone
 */
export function addSequenceHead(
  { model, hidden, width }: HeadlessEncoder,
  { names, labels, dropout, seed, deviation = 0.02, start }: SequenceHeadOptions,
): ModelProto {
  const edited = ModelGraph.from(model);
  const graph = edited.main;
  const random = seededRandom(seed);
  const fresh = (outputs: number): SequenceHeadWeights["dense"] => ({
    weight: float32([outputs, width], () => random.normal() * deviation),
    bias: float32([outputs], () => 0),
  });
  const dense = start.dense ?? fresh(width);
  const output = start.output ?? fresh(labels);
  const logits = writeSequenceHead(encoderWriter(graph), hidden, {
    names,
    weights: { dense, output },
    dropout,
  });
  for (const { name } of graph.outputs) graph.removeOutput(name);
  graph.addOutput(makeValueInfo(logits, "float32", ["batch", labels]));
  graph.pruneUnused();
  return edited.toModel();
}

function float32(shape: readonly number[], value: () => number): Tensor<"float32"> {
  const length = shape.reduce((product, size) => product * size, 1);
  return { dtype: "float32", shape, data: Float32Array.from({ length }, value) };
}
