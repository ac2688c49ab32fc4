import type { NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "../graph.js";

/** Names that an exporter made up: `onnx::MatMul_517`, `val_12`, `node_MatMul_12`, `MatMul_12`, `517`. */
const madeUp = /^(?:onnx::\w+|(?:node_)?[A-Za-z]+_\d+|_?\d+)$/;

/**
 * The layer that a weight belongs to, as a person knows it: the weight's own name, or, where an exporter made that up,
 * the name of the node that reads it, of the bias that is added to the product, or whatever there is.
 *
 * @param node which reads the weight
 * @param weight name of the weight
 * @example layerName(graph, node, "onnx::MatMul_517") // "/bert/encoder/layer.0/attention/self/query/MatMul"
 */
export function layerName(graph: Graph, node: NodeProto, weight: string): string {
  const named = [weight, node.name, biasOf(graph, node)?.replace(/\.bias$/, "")];
  const known = named.find((name) => name !== undefined && name !== "" && !madeUp.test(name));
  return known ?? (node.name || weight);
}

/** Name of the constant that is added to what a node gives. */
function biasOf(graph: Graph, node: NodeProto): string | undefined {
  const output = node.output[0] ?? "";
  const add = graph.consumers(output).find(({ node: user }) => user.opType === "Add")?.node;
  const added = add?.input.find((name) => name !== output);
  return added !== undefined && graph.initializers.has(added) ? added : undefined;
}
