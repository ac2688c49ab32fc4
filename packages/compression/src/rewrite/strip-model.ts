import { copyMessage, type GraphProto, type ModelProto } from "@nasty/formats/onnx";

/** How many initializers a model lists as inputs although it need not (IR version 4 and later). */
export function listedInitializers(model: ModelProto): number {
  if (model.irVersion < 4n || model.graph === undefined) {
    return 0;
  }
  const inputs = new Set(model.graph.input.map(({ name }) => name));
  return model.graph.initializer.filter(({ name }) => inputs.has(name)).length;
}

function strippedGraph(graph: GraphProto): GraphProto {
  const copy = copyMessage(graph);
  copy.docString = "";
  copy.valueInfo = [];
  copy.node = graph.node.map((node) => {
    const stripped = copyMessage(node);
    stripped.docString = "";
    stripped.attribute = node.attribute.map((attribute) => {
      if (attribute.g === undefined && attribute.graphs.length === 0) {
        return attribute;
      }
      const nested = copyMessage(attribute);
      if (attribute.g !== undefined) {
        nested.g = strippedGraph(attribute.g);
      }
      nested.graphs = attribute.graphs.map(strippedGraph);
      return nested;
    });
    return stripped;
  });
  return copy;
}

/**
 * A model without what its graph can be read without: doc strings, and the shapes of inner values, which the runtime
 * infers again and of which a rewrite makes some false.
 */
export function stripModel(model: ModelProto): ModelProto {
  if (model.graph === undefined) {
    return model;
  }
  const copy = copyMessage(model);
  copy.graph = strippedGraph(model.graph);
  if (model.irVersion >= 4n) {
    const constants = new Set(copy.graph.initializer.map(({ name }) => name));
    copy.graph.input = copy.graph.input.filter(({ name }) => !constants.has(name));
  }
  return copy;
}
