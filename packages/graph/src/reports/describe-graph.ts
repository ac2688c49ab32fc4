import { byteLength, type DType, elementCount } from "@nasty/core";
import { dataTypeName, type ModelProto, type NodeProto, type TensorProto } from "@nasty/formats/onnx";
import { dtypeOrUndefined } from "../element-type.js";
import type { Graph } from "../graph.js";
import { ModelGraph } from "../model-graph.js";
import { operatorSchema, schemaOf } from "../operators/table.js";

export interface OperatorCount {
  readonly domain: string;
  readonly op: string;
  readonly count: number;
}

export interface PrecisionShare {
  /** A dtype, or the specification's name of an element type that has none here. */
  readonly dtype: string;
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
}

/** What a model consists of, for reports. */
export interface GraphDescription {
  readonly irVersion: number;
  /** Version by domain; ONNX's own domain is `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  /** Main graph and nested ones. */
  readonly graphs: number;
  readonly nodes: number;
  /** Most frequent first, then by name. */
  readonly ops: readonly OperatorCount[];
  /** Operators that are neither in the table nor functions of the model: opaque to every step here. */
  readonly unknownOps: readonly OperatorCount[];
  readonly functions: number;
  /** Trained numbers: elements of constant tensors with at least one axis, without indices, scales and zero points. */
  readonly parameters: number;
  /** Bytes of all constant tensors: initializers and Constant nodes. */
  readonly initializerBytes: number;
  readonly initializers: number;
  /** Constant tensors by element type, most bytes first. */
  readonly precisions: readonly PrecisionShare[];
}

/**
 * Counts a model's operators, parameters and bytes.
 *
 * Sizes come from the declared shapes, so they hold for external data that is not loaded too. Packed 4-bit weights of
 * MatMulNBits and GatherBlockQuantized count as the elements they stand for.
 */
export function describeGraph(model: ModelProto | ModelGraph): GraphDescription {
  const opened = model instanceof ModelGraph ? model : ModelGraph.from(model);
  const proto = opened.toModel();
  const graphs = opened.allGraphs();
  const ops = new Map<string, { domain: string; op: string; count: number }>();
  const precisions = new Map<string, { dtype: string; tensors: number; elements: number; bytes: number }>();
  let parameters = 0;
  let initializers = 0;

  const countTensor = (graph: Graph, name: string, tensor: TensorProto): void => {
    const { dtype, elements, bytes } = sizeOf(tensor);
    const row = precisions.get(dtype) ?? { dtype, tensors: 0, elements: 0, bytes: 0 };
    precisions.set(dtype, row);
    row.tensors += 1;
    row.elements += elements;
    row.bytes += bytes;
    parameters += parametersIn(graph, name, tensor);
  };

  for (const graph of graphs) {
    initializers += graph.initializers.size;
    for (const [name, tensor] of graph.initializers) countTensor(graph, name, tensor);
    for (const node of graph.nodes) {
      const domain = node.domain === "ai.onnx" ? "" : node.domain;
      const key = `${domain}:${node.opType}`;
      const row = ops.get(key) ?? { domain, op: node.opType, count: 0 };
      ops.set(key, row);
      row.count += 1;
      const held =
        node.opType === "Constant" ? node.attribute.find(({ t }) => t !== undefined)?.t : undefined;
      if (held !== undefined) countTensor(graph, node.output[0] ?? "", held);
    }
  }
  const counted = [...ops.values()].sort(
    (a, b) => b.count - a.count || compare(a.op, b.op) || compare(a.domain, b.domain),
  );
  const shares = [...precisions.values()].sort((a, b) => b.bytes - a.bytes || compare(a.dtype, b.dtype));
  return {
    irVersion: opened.irVersion,
    opsets: Object.fromEntries([...opened.opsets].map(([domain, version]) => [domain || "ai.onnx", version])),
    producer: [proto.producerName, proto.producerVersion].filter((part) => part !== "").join(" "),
    graphs: graphs.length,
    nodes: graphs.reduce((sum, graph) => sum + graph.nodeCount, 0),
    ops: counted,
    unknownOps: counted.filter(({ domain, op }) => operatorSchema(op, domain) === undefined),
    functions: model instanceof ModelGraph ? 0 : model.functions.length,
    parameters,
    initializerBytes: shares.reduce((sum, { bytes }) => sum + bytes, 0),
    initializers,
    precisions: shares,
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sizeOf = (
  tensor: TensorProto,
): { readonly dtype: string; readonly elements: number; readonly bytes: number } => {
  const shape = tensor.dims.map(Number);
  const dtype: DType | undefined = dtypeOrUndefined(tensor.dataType);
  const elements = elementCount(shape);
  if (dtype !== undefined) return { dtype, elements, bytes: byteLength(dtype, shape) };
  return { dtype: dataTypeName(tensor.dataType).toLowerCase(), elements, bytes: tensor.rawData.length };
};

/** Element types that hold trained numbers; wider integers are indices and shapes, but for biases. */
const trained = new Set<string>([
  "float64",
  "float32",
  "float16",
  "bfloat16",
  "int8",
  "uint8",
  "int4",
  "uint4",
]);

const parametersIn = (graph: Graph, name: string, tensor: TensorProto): number => {
  const { dtype, elements } = sizeOf(tensor);
  const uses = graph.consumers(name);
  const isBias = dtype === "int32" && uses.some(({ node, index }) => isQuantizedBias(node, index));
  if ((!trained.has(dtype) && !isBias) || tensor.dims.length === 0) return 0;
  if (
    uses.length > 0 &&
    uses.every(({ node, index }) => schemaOf(node)?.quantization.includes(index) === true)
  )
    return 0;
  const packed = uses.map(({ node, index }) => packing(node, index, dtype)).find((factor) => factor > 1) ?? 1;
  return elements * packed;
};

const isQuantizedBias = (node: NodeProto, index: number): boolean =>
  (node.opType === "DequantizeLinear" && index === 0) || (node.opType === "QLinearConv" && index === 8);

/** How many weights a stored byte stands for. */
const packing = (node: NodeProto, index: number, dtype: string): number => {
  if (dtype !== "uint8" || node.domain !== "com.microsoft") return 1;
  const input = node.opType === "MatMulNBits" ? 1 : node.opType === "GatherBlockQuantized" ? 0 : -1;
  if (index !== input) return 1;
  return 8 / Number(node.attribute.find(({ name }) => name === "bits")?.i ?? 4n);
};
