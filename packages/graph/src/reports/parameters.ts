import { byteLength, type DType, elementCount } from "@nasty/core";
import { dataTypeName, type ModelProto, type NodeProto, type TensorProto } from "@nasty/formats/onnx";
import { dtypeOrUndefined } from "../element-type.js";
import type { Graph } from "../graph.js";
import { ModelGraph } from "../model-graph.js";
import { schemaOf } from "../operators/table.js";

/** A constant that holds trained numbers. */
export interface ParameterTensor {
  /** Name of the initializer, or of a Constant node's output. */
  readonly name: string;
  /** Trained numbers in it: packed 4-bit weights count as the elements they stand for. */
  readonly elements: number;
}

/**
 * The constants of one graph that hold trained numbers: those with at least one axis, without indices, scales and zero
 * points.
 *
 * Sizes come from the declared shapes, so they hold for external data that is not loaded too.
 */
export function* parameterTensors(graph: Graph): Generator<ParameterTensor> {
  for (const { name, tensor } of constantTensors(graph)) {
    const elements = parametersIn(graph, name, tensor);
    if (elements > 0) yield { name, elements };
  }
}

/**
 * How many parameters a model has, subgraphs included, as {@link parameterTensors} counts them.
 *
 * @example parameterCount(await readModelFile("bert-base.onnx")) // 108_900_000 or so
 */
export function parameterCount(model: ModelProto | ModelGraph): number {
  const opened = model instanceof ModelGraph ? model : ModelGraph.from(model);
  let count = 0;
  for (const graph of opened.allGraphs())
    for (const { elements } of parameterTensors(graph)) count += elements;
  return count;
}

/** Initializers, and the tensors of Constant nodes. */
export function* constantTensors(
  graph: Graph,
): Generator<{ readonly name: string; readonly tensor: TensorProto }> {
  for (const [name, tensor] of graph.initializers) yield { name, tensor };
  for (const { opType, attribute, output } of graph.nodes) {
    const held = opType === "Constant" ? attribute.find(({ t }) => t !== undefined)?.t : undefined;
    if (held !== undefined) yield { name: output[0] ?? "", tensor: held };
  }
}

/** Element type, elements and stored bytes of a tensor, by its declared shape. */
export const sizeOfTensor = (
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
  const { dtype, elements } = sizeOfTensor(tensor);
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
