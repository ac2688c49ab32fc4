import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { seededRandom } from "@nasty/training";
import type { HeadlessEncoder, HeadWeights } from "./cut-head.js";

export interface HeadOptions {
  /** Number of labels. */
  readonly labels: number;
  /** Ratio of the Dropout node before it; none if 0. */
  readonly dropout: number;
  readonly seed: number;
  /** Standard deviation of the first weights. Default 0.02. */
  readonly deviation?: number;
  /** Weights to start from instead of random ones. */
  readonly head?: HeadWeights | undefined;
}

/** Names of the head's weights, as the token classifiers of transformers have them. */
const headWeight = "classifier.weight";
const headBias = "classifier.bias";

/**
 * Puts a head on an encoder: logits [batch, sequence, labels] = dropout(hidden)·W + b; a fresh one has W normal with a
 * small deviation, b = 0.
 *
 * @returns a model with the output `logits` alone
 */
export function addClassificationHead(
  { model, hidden, width }: HeadlessEncoder,
  { labels, dropout, seed, deviation = 0.02, head }: HeadOptions,
): ModelProto {
  const edited = ModelGraph.from(model);
  const graph = edited.main;
  const random = seededRandom(seed);
  const values =
    head?.weight ?? Float32Array.from({ length: width * labels }, () => random.normal() * deviation);
  const weight = graph.addInitializer(headWeight, { dtype: "float32", shape: [width, labels], data: values });
  const data = head?.bias ?? new Float32Array(labels);
  const bias = graph.addInitializer(headBias, { dtype: "float32", shape: [labels], data });
  let input = hidden;
  if (dropout > 0) {
    const ratio = graph.addInitializer(graph.uniqueName("classifier/ratio"), {
      dtype: "float32",
      shape: [],
      data: Float32Array.of(dropout),
    });
    input = graph.uniqueName("classifier/dropout");
    graph.addNode({ opType: "Dropout", name: input, inputs: [hidden, ratio], outputs: [input] });
  }
  const product = graph.uniqueName("classifier/product");
  graph.addNode({ opType: "MatMul", name: product, inputs: [input, weight], outputs: [product] });
  graph.addNode({ opType: "Add", name: "logits", inputs: [product, bias], outputs: ["logits"] });
  for (const { name } of graph.outputs) graph.removeOutput(name);
  graph.addOutput(makeValueInfo("logits", "float32", ["batch", "sequence", labels]));
  graph.pruneUnused();
  return edited.toModel();
}

/** A model without its Dropout nodes, which do nothing outside of training. */
export function withoutDropout(model: ModelProto): ModelProto {
  const edited = ModelGraph.from(model);
  const graph = edited.main;
  for (const node of graph.nodes.filter(({ opType }) => opType === "Dropout")) graph.bypassNode(node);
  graph.pruneUnused();
  return edited.toModel();
}
