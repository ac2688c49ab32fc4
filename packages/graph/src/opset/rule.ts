import type { Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "../graph.js";
import { GraphError } from "../graph-error.js";
import type { PartialType } from "../inference/rule.js";

/** A node on its way to the next operator set. */
export interface RaisedNode {
  readonly graph: Graph;
  readonly node: NodeProto;
  /** What is known of a value's type. */
  typeOf(name: string): PartialType;
}

/** Brings one node from the version before to the one that the rule is for. */
export type RaiseRule = (raised: RaisedNode) => void;

/** Operators whose form or meaning a version changed so that an older node means something else, or nothing, in it. */
export interface VersionRule {
  readonly ops: readonly string[];
  readonly since: number;
  readonly rule: RaiseRule;
}

export const labelOf = ({ node }: RaisedNode): string => node.name || (node.output[0] ?? "");

/** A node that later operator sets cannot say. */
export function cannotRaise(raised: RaisedNode, what: string): GraphError {
  const { graph, node } = raised;
  return new GraphError(
    "unsupported-opset",
    `raiseOpset: node ${JSON.stringify(labelOf(raised))} (${node.opType}, graph ${graph.path}): ${what}; ` +
      "convert the model to a newer operator set where it was made",
    { graph: graph.path, node: node.name, operator: node.opType },
  );
}

export const hasAttribute = ({ node }: RaisedNode, name: string): boolean =>
  node.attribute.some((attribute) => attribute.name === name);

/** Drops attributes that have no meaning any more. */
export const dropping =
  (...names: readonly string[]): RaiseRule =>
  (raised) => {
    for (const name of names) if (hasAttribute(raised, name)) raised.graph.removeAttribute(raised.node, name);
  };

/** One rule after the other. */
export const inOrder =
  (...rules: readonly RaiseRule[]): RaiseRule =>
  (raised) => {
    for (const rule of rules) rule(raised);
  };

/** Puts a node of another operator or of other inputs in the place of one that holds no graphs. */
export function replaceNode(
  { graph, node }: RaisedNode,
  { opType = node.opType, inputs = node.input }: { opType?: string; inputs?: readonly string[] },
): void {
  const outputs = [...node.output];
  for (const index of outputs.keys()) graph.setOutput(node, index, "");
  const { name, attribute } = node;
  graph.addNode({ opType, name, inputs, outputs }, { before: node }).attribute = attribute;
  graph.removeNode(node);
}

/** Lets input `index` read a constant, in the place of the attribute that said it. */
export function moveToInput(raised: RaisedNode, name: string, index: number, value: Tensor): void {
  const { graph, node } = raised;
  graph.setInput(node, index, graph.addInitializer(`${labelOf(raised)}/${name}`, value));
  dropping(name)(raised);
}

export const int64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => ({
  dtype: "int64",
  shape,
  data: BigInt64Array.from(values, BigInt),
});

export const float32 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(values),
});
