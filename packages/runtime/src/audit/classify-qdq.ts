import { type NodeProto, TensorProto_DataType } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { isOp, takesIntegers } from "./kernel-classes.js";

/**
 * What a QuantizeLinear or DequantizeLinear that is left in the optimized graph is for:
 * - `entry`: quantizes the activation of an integer kernel, which cannot do without it;
 * - `exit`: turns an integer kernel's result back to float;
 * - `weight`: dequantizes a constant, at each run unless the runtime caches it;
 * - `embedding`: dequantizes the rows that a lookup fetched from a quantized table;
 * - `stray`: a float activation is rounded to 8 bits and back around operators that compute in float.
 */
export type QdqRole = "entry" | "exit" | "weight" | "embedding" | "stray";

/** Operators that move 8-bit values, or pick some of them, without computing new ones. */
const movers = [
  "Reshape",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
  "Slice",
  "Concat",
  "Split",
  "Expand",
  "Identity",
  "MaxPool",
  "DepthToSpace",
  "SpaceToDepth",
];

const lookups = ["Gather", "GatherND", "GatherElements"];

const isConstant = (graph: Graph, name: string): boolean => {
  if (graph.initializer(name) !== undefined) return true;
  const producer = graph.producer(name);
  return producer !== undefined && isOp(producer, "Constant", "ConstantOfShape");
};

/** Walks up through operators that only move data. */
const source = (graph: Graph, name: string): { name: string; node: NodeProto | undefined } => {
  let at = name;
  let node = graph.producer(at);
  while (node !== undefined && isOp(node, ...movers)) {
    at = node.input[0] ?? "";
    node = graph.producer(at);
  }
  return { name: at, node };
};

/** Whether any use, seen through operators that only move data, is an integer kernel. */
const reachesKernel = (graph: Graph, name: string): boolean =>
  graph
    .consumers(name)
    .some(
      ({ node, graph: home }) =>
        takesIntegers(node) ||
        (isOp(node, ...movers) && node.output.some((output) => reachesKernel(home, output))),
    );

const dequantizeRole = (graph: Graph, node: NodeProto): QdqRole => {
  const input = node.input[0] ?? "";
  const from = source(graph, input);
  if (isConstant(graph, from.name)) return "weight";
  if (from.node === undefined) return "stray";
  if (isOp(from.node, ...lookups)) {
    return isConstant(graph, source(graph, from.node.input[0] ?? "").name) ? "embedding" : "stray";
  }
  return takesIntegers(from.node) ? "exit" : "stray";
};

const bytes = new Set<number>([TensorProto_DataType.INT8, TensorProto_DataType.UINT8]);
const floats = new Set<number>([TensorProto_DataType.FLOAT, TensorProto_DataType.FLOAT16]);

/**
 * Whether a node fetches rows of an 8-bit table that a Cast and a Mul then make real numbers:
 * `Cast(Gather(table, i)) · scale`, which computes what a DequantizeLinear of the rows would.
 */
export const isScaledLookup = (graph: Graph, node: NodeProto): boolean => {
  if (!isOp(node, ...lookups)) return false;
  const table = graph.initializer(source(graph, node.input[0] ?? "").name);
  if (table === undefined || !bytes.has(table.dataType)) return false;
  return graph.consumers(node.output[0] ?? "").some(({ node: cast, graph: home }) => {
    const to = Number(cast.attribute.find(({ name }) => name === "to")?.i ?? 0);
    return (
      isOp(cast, "Cast") &&
      floats.has(to) &&
      home.consumers(cast.output[0] ?? "").some((use) => isOp(use.node, "Mul"))
    );
  });
};

const quantizeOps = ["QuantizeLinear", "DynamicQuantizeLinear"];

/** The role of a Q/DQ node (of either domain), or nothing for any other node. */
export const qdqRole = (graph: Graph, node: NodeProto): QdqRole | undefined => {
  if (node.opType === "DequantizeLinear") return dequantizeRole(graph, node);
  if (!quantizeOps.includes(node.opType)) return undefined;
  return reachesKernel(graph, node.output[0] ?? "") ? "entry" : "stray";
};

/** Whether a value is a constant, or one that a DequantizeLinear makes of a constant. */
export const weightKind = (graph: Graph, name: string): "float" | "dequantized" | undefined => {
  if (isConstant(graph, name)) return "float";
  const { node } = source(graph, name);
  if (node?.opType !== "DequantizeLinear") return undefined;
  return qdqRole(graph, node) === "weight" ? "dequantized" : undefined;
};
