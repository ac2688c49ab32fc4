import type { Tensor } from "@nasty/core";
import type { ModelProto, NodeProto } from "@nasty/formats/onnx";
import { type Graph, ModelGraph, transposeTensor } from "@nasty/graph";

/**
 * The float weights of a graph as a checkpoint has them: by initializer name, weights of linear layers as [outputs,
 * inputs].
 *
 * The reverse of {@link buildEncoder}. An exporter that renamed a linear layer's weight (`onnx::MatMul_123`) left the
 * name of its bias: the weight is named after that. Scalars and vectors that no layer owns are left out.
 *
 * @returns tensors by name; unchanged ones share their data with the model
 * @example
 * ```ts
 * await writeFileAtomic("model.safetensors", safetensorsChunks(checkpointTensors(model), { format: "pt" }));
 * ```
 */
export function checkpointTensors(model: ModelProto): Map<string, Tensor> {
  const graph = ModelGraph.from(model).main;
  const tensors = new Map<string, Tensor>();
  for (const name of graph.initializers.keys()) {
    const value = graph.constant(name);
    if (value?.dtype !== "float32" || value.shape.length === 0 || name.startsWith("constant/")) continue;
    const product = graph
      .consumers(name)
      .find(({ node, index }) => node.opType === "MatMul" && index === 1)?.node;
    if (product === undefined || value.shape.length !== 2) {
      tensors.set(name, value);
      continue;
    }
    const own = name.endsWith(".weight") ? name : nameBesideBias(graph, product);
    tensors.set(own ?? name, transposeTensor(value, [1, 0]));
  }
  return tensors;
}

/** The name that a product's weight must have had, by the bias that is added to it. */
function nameBesideBias(graph: Graph, product: NodeProto): string | undefined {
  for (const { node } of graph.consumers(product.output[0] ?? "")) {
    if (node.opType !== "Add") continue;
    const bias = node.input.find((input) => input.endsWith(".bias"));
    if (bias !== undefined) return bias.replace(/\.bias$/, ".weight");
  }
  return undefined;
}
