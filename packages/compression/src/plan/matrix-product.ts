import { tensor } from "@nasty/core";
import { floatAttribute, intAttribute, type NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { readWeight, resolveWeight } from "./resolve-weight.js";

/** A product that is about to be made in another way: `output = activation × weight · factor`. */
export interface MatrixProduct {
  readonly graph: Graph;
  /** New nodes go in front of this one, which goes when they are there. */
  readonly node: NodeProto;
  readonly activation: string;
  /** The activation as the original node reads it: the same values, perhaps in another order. */
  readonly source: string;
  /** The kernel reads the transpose of the weight's own layout. */
  readonly transposed: boolean;
  readonly factor: number;
  readonly output: string;
}

/**
 * Puts the constant of an addition second: the runtime's fusions of an integer product look for its bias there, and
 * exporters write it first.
 */
function biasLast(graph: Graph, product: string): void {
  const uses = graph.consumers(product);
  const [use] = uses;
  if (uses.length !== 1 || use === undefined || use.graph !== graph) {
    return;
  }
  const { node, index } = use;
  const [first, second] = node.input;
  if (node.opType !== "Add" || index !== 1 || first === undefined || second === undefined) {
    return;
  }
  if (resolveWeight(graph, first) !== undefined) {
    graph.setInput(node, 0, second);
    graph.setInput(node, 1, first);
  }
}

function scaledAddend(graph: Graph, addend: string, beta: number, before: NodeProto): string {
  const resolved = resolveWeight(graph, addend);
  if (resolved?.dtype === "float32" && !resolved.transposed) {
    const data = (readWeight(resolved).data as Float32Array).map((value) => value * beta);
    return graph.addInitializer(`${addend}_beta`, tensor("float32", resolved.shape, data));
  }
  const factor = graph.addInitializer(`${addend}_beta`, tensor("float32", [], Float32Array.of(beta)));
  const scaled = graph.uniqueName(`${addend}_scaled`);
  graph.addNode({ opType: "Mul", name: "", inputs: [addend, factor], outputs: [scaled] }, { before });
  return scaled;
}

/**
 * Makes the product of a MatMul or Gemm in another way.
 *
 * A Gemm has no integer kernel for dynamic activations: the transposition of its A and the addition of its C become
 * nodes, alpha goes into the weight's scales, beta into the constant.
 *
 * @param emit adds the nodes that make `product.output`, in front of `product.node`
 */
export function replaceProduct(graph: Graph, node: NodeProto, emit: (product: MatrixProduct) => void): void {
  const [a = "", b = "", addend = ""] = node.input;
  const output = node.output[0] ?? "";
  const transposed = resolveWeight(graph, b)?.transposed ?? false;
  graph.setOutput(node, 0, "");
  if (node.opType === "MatMul") {
    emit({ graph, node, activation: a, source: a, transposed, factor: 1, output });
    biasLast(graph, output);
    graph.removeNode(node);
    return;
  }
  let activation = a;
  if (intAttribute(node, "transA", 0) !== 0) {
    activation = graph.uniqueName(`${a}_t`);
    graph.addNode(
      { opType: "Transpose", name: "", inputs: [a], outputs: [activation], attributes: { perm: [1n, 0n] } },
      { before: node },
    );
  }
  const sum = addend === "" ? output : graph.uniqueName(`${output}_p`);
  emit({
    graph,
    node,
    activation,
    source: a,
    transposed: transposed !== (intAttribute(node, "transB", 0) !== 0),
    factor: floatAttribute(node, "alpha", 1),
    output: sum,
  });
  if (addend !== "") {
    const beta = floatAttribute(node, "beta", 1);
    const bias = beta === 1 ? addend : scaledAddend(graph, addend, beta, node);
    graph.addNode({ opType: "Add", name: "", inputs: [sum, bias], outputs: [output] }, { before: node });
  }
  graph.removeNode(node);
}
