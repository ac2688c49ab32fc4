import { intAttribute, intsAttribute, type NodeProto } from "@nasty/formats/onnx";
import type { Graph, ModelGraph, ValueTypes } from "@nasty/graph";
import { TrainingError } from "../training-error.js";

/** The operator set that training graphs use. */
export const trainingOpset = 21;

/** Operators whose axes moved from an attribute to input 1, with the version that moved them. */
const axesAsInput: ReadonlyMap<string, number> = new Map([
  ["Squeeze", 13],
  ["Unsqueeze", 13],
  ["ReduceSum", 13],
  ["ReduceMean", 18],
  ["ReduceMax", 18],
  ["ReduceMin", 18],
  ["ReduceProd", 18],
  ["ReduceL1", 18],
  ["ReduceL2", 18],
  ["ReduceLogSum", 18],
  ["ReduceLogSumExp", 18],
  ["ReduceSumSquare", 18],
]);

/**
 * Brings the operators of a model to operator set 21 where their meaning or form changed since 11.
 *
 * @throws TrainingError `unsupported-opset` below 11 and above 25.
 */
export function liftOpset(model: ModelGraph, types: ValueTypes): void {
  const version = model.opset();
  if (version < 11 || version > 25) {
    throw new TrainingError(
      "unsupported-opset",
      `buildTrainingGraph: model: operator set: expected 11 to 25, got ${version}`,
    );
  }
  for (const graph of model.allGraphs())
    for (const node of graph.nodes) if (node.domain === "") lift(graph, node, { version, types });
  if (version < trainingOpset) model.setOpset("", trainingOpset);
  if (model.opset("com.microsoft") === 0) model.setOpset("com.microsoft", 1);
  if (model.irVersion < 10) model.setIrVersion(10);
}

interface From {
  readonly version: number;
  readonly types: ValueTypes;
}

function lift(graph: Graph, node: NodeProto, { version, types }: From): void {
  const since = axesAsInput.get(node.opType);
  if (since !== undefined && version < since) moveToInput(graph, node, { attribute: "axes", index: 1 });
  if (node.opType === "Split" && version < 13) moveToInput(graph, node, { attribute: "split", index: 1 });
  if (node.opType === "Split" && version < 18 && (node.input[1] ?? "") === "") {
    graph.setAttribute(node, "num_outputs", node.output.length);
  }
  const isSoftmax = node.opType === "Softmax" || node.opType === "LogSoftmax";
  if (isSoftmax && version < 13) liftSoftmax(graph, node, types);
}

function moveToInput(
  graph: Graph,
  node: NodeProto,
  { attribute, index }: { attribute: string; index: number },
): void {
  const values = intsAttribute(node, attribute);
  if (values === undefined) return;
  const data = BigInt64Array.from(values, BigInt);
  graph.setInput(
    node,
    index,
    graph.addInitializer(attribute, { dtype: "int64", shape: [data.length], data }),
  );
  graph.removeAttribute(node, attribute);
}

/** Before version 13 the dimensions from `axis` on were one; that is the same only for the last axis. */
function liftSoftmax(graph: Graph, node: NodeProto, types: ValueTypes): void {
  const rank = types.typeOf(graph, node.input[0] ?? "")?.shape?.length;
  const axis = intAttribute(node, "axis", 1);
  if (axis !== -1 && axis + 1 !== rank) {
    const name = node.name || (node.output[0] ?? "");
    throw new TrainingError(
      "unsupported-attribute",
      `buildTrainingGraph: node ${JSON.stringify(name)} (${node.opType}): axis: expected the last one below operator set 13, got ${axis} of rank ${rank}`,
      { node: name, operator: node.opType },
    );
  }
  graph.setAttribute(node, "axis", -1);
}
