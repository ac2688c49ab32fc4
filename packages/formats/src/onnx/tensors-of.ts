import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from "./gen/onnx_pb.js";

/** A tensor of a model, and where it was found. */
export interface TensorPlace {
  readonly tensor: TensorProto;
  /** Its name, or for an unnamed one its node and attribute: for messages. */
  readonly where: string;
  /** An entry of a graph's `initializer` list, which every runtime accepts as external data. */
  readonly isInitializer: boolean;
}

/**
 * Every tensor of a model: initializers, sparse ones, and the values of attributes, in all graphs, subgraphs,
 * functions and training graphs, in the file's order.
 *
 * @example
 * ```ts
 * let bytes = 0;
 * for (const { tensor } of tensorsOf(model)) bytes += tensor.rawData.length;
 * ```
 */
export function* tensorsOf(model: ModelProto): Generator<TensorPlace> {
  if (model.graph !== undefined) yield* ofGraph(model.graph);
  for (const training of model.trainingInfo) {
    if (training.initialization !== undefined) yield* ofGraph(training.initialization);
    if (training.algorithm !== undefined) yield* ofGraph(training.algorithm);
  }
  for (const definition of model.functions) {
    for (const attribute of definition.attributeProto) {
      yield* ofAttribute(attribute, `function ${JSON.stringify(definition.name)}`);
    }
    yield* ofNodes(definition.node);
  }
}

function* ofGraph(graph: GraphProto): Generator<TensorPlace> {
  yield* ofNodes(graph.node);
  for (const tensor of graph.initializer) yield { tensor, where: nameOf(tensor), isInitializer: true };
  for (const { values, indices } of graph.sparseInitializer) {
    for (const tensor of [values, indices]) {
      if (tensor !== undefined) yield { tensor, where: nameOf(tensor), isInitializer: false };
    }
  }
}

function* ofNodes(nodes: readonly NodeProto[]): Generator<TensorPlace> {
  for (const node of nodes) {
    if (node.attribute.length === 0) continue;
    const label = node.name || node.output[0] || node.opType;
    for (const attribute of node.attribute) yield* ofAttribute(attribute, `node ${JSON.stringify(label)}`);
  }
}

function* ofAttribute(attribute: AttributeProto, owner: string): Generator<TensorPlace> {
  const sparse = [attribute.sparseTensor, ...attribute.sparseTensors];
  const tensors = [attribute.t, ...attribute.tensors, ...sparse.flatMap((s) => [s?.values, s?.indices])];
  for (const tensor of tensors) {
    if (tensor === undefined) continue;
    yield { tensor, where: `${owner}: attribute ${JSON.stringify(attribute.name)}`, isInitializer: false };
  }
  if (attribute.g !== undefined) yield* ofGraph(attribute.g);
  for (const graph of attribute.graphs) yield* ofGraph(graph);
}

function nameOf(tensor: TensorProto): string {
  return `tensor ${JSON.stringify(tensor.name)}`;
}
