import {
  checkOpset,
  FormatError,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from "@nasty/formats/onnx";
import { inlineFunctions } from "../functions/inline-functions.js";
import { GraphError } from "../graph-error.js";
import { ModelGraph } from "../model-graph.js";
import { operatorSchema } from "../operators/table.js";
import { graphSlots } from "../subgraph-attributes.js";
import { topologicalOrder } from "../topological-order.js";
import { checkBodies } from "./check-bodies.js";
import { nodeError, placeOf } from "./node-error.js";

/** Names that a graph sees: its own, then those of the graphs around it. */
interface Scope {
  readonly path: string;
  readonly names: ReadonlySet<string>;
  readonly outer: Scope | undefined;
}

/** What of the model the checks of one graph need. */
interface Model {
  readonly domains: ReadonlySet<string>;
}

/**
 * Checks that a model is a well-formed graph: every value read is defined once and in reach, no name for two nodes of
 * one graph, no cycle, outputs made, nested graphs with the inputs and outputs that their operator asks for, operator
 * sets imported and of a known version.
 *
 * Nodes may be in any order (runtimes sort them; `Graph.sort` does too). Operators that are not in the table are not
 * refused: a step that cannot handle one says so itself. Calls of the model's functions are checked as the bodies that
 * they stand for.
 *
 * @throws GraphError `missing-graph`, `empty-graph`, `unsupported-opset`, `unknown-opset`, `missing-operator`,
 *   `duplicate-node`, `duplicate-value`, `missing-input`, `input-count`, `output-count`, `missing-output`,
 *   `missing-subgraph`, `subgraph-outputs`, `cycle`, and for functions as `inlineFunctions`; the message names node,
 *   operator and position.
 * @see ONNX 1.22, docs/IR.md
 */
export function validateModel(model: ModelProto | ModelGraph): void {
  const proto = model instanceof ModelGraph ? model.toModel() : inlineFunctions(model);
  const { graph } = proto;
  if (graph === undefined)
    throw new GraphError("missing-graph", "validateModel: model: graph: expected one, got none");
  if (graph.node.length === 0) {
    throw new GraphError("empty-graph", "validateModel: graph main: nodes: expected at least one, got none", {
      graph: "main",
    });
  }
  checkGraph(graph, "main", undefined, {
    domains: importedDomains(proto),
  });
  for (const one of ModelGraph.from(proto).allGraphs()) topologicalOrder(one, "validateModel");
}

const plain = (domain: string): string => (domain === "ai.onnx" ? "" : domain);

const importedDomains = (proto: ModelProto): ReadonlySet<string> => {
  try {
    return new Set(checkOpset(proto).keys());
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new GraphError("unsupported-opset", error.message.replace(/^checkOpset/, "validateModel"), {
      cause: error,
    });
  }
};

const checkGraph = (graph: GraphProto, path: string, outer: Scope | undefined, model: Model): void => {
  const scope: Scope = { path, names: definedNames(graph, path), outer };
  const nodeNames = new Map<string, number>();
  for (const [position, node] of graph.node.entries()) {
    checkNodeName(node, path, position, nodeNames);
    checkOperator(node, path, position, model);
    checkInputs(node, scope, position);
    checkBodies(node, path, position);
    for (const { attribute, index, graph: body } of graphSlots(node)) {
      const title = node.name === "" ? `${node.opType}[${node.output[0] ?? ""}]` : node.name;
      checkGraph(
        body,
        `${path}/${title}.${attribute}${index === undefined ? "" : `[${index}]`}`,
        scope,
        model,
      );
    }
  }
  checkOutputs(graph, scope);
};

/** A name may come again in another graph, and many nodes may have none. */
const checkNodeName = (node: NodeProto, path: string, position: number, seen: Map<string, number>): void => {
  if (node.name === "") return;
  const earlier = seen.get(node.name);
  if (earlier === undefined) {
    seen.set(node.name, position);
    return;
  }
  throw nodeError(
    "duplicate-node",
    { node, path, position },
    `name: expected one that no other node of the graph has, got that of position ${earlier}`,
  );
};

const definedNames = (graph: GraphProto, path: string): ReadonlySet<string> => {
  const inputs = new Set<string>();
  const names = new Set<string>();
  const duplicate = (what: string, name: string): never => {
    throw new GraphError(
      "duplicate-value",
      `validateModel: ${what}: value name: expected one definition in graph ${path}, got a second of ${JSON.stringify(name)}`,
      { graph: path, value: name },
    );
  };
  for (const { name } of graph.input) {
    if (inputs.has(name)) duplicate(`graph ${path}: input`, name);
    inputs.add(name);
  }
  for (const { name } of graph.initializer) {
    if (names.has(name)) duplicate(`graph ${path}: initializer`, name);
    names.add(name);
  }
  for (const { values } of graph.sparseInitializer) if (values !== undefined) names.add(values.name);
  // An input of an initializer's name is that initializer's default value, not a second definition.
  for (const name of inputs) names.add(name);
  for (const [position, node] of graph.node.entries()) {
    for (const name of node.output) {
      if (name === "") continue;
      if (names.has(name)) duplicate(placeOf(node, path, position), name);
      names.add(name);
    }
  }
  return names;
};

const checkOperator = (node: NodeProto, path: string, position: number, model: Model): void => {
  const domain = plain(node.domain);
  if (node.opType === "")
    throw nodeError("missing-operator", { node, path, position }, "operator: expected a name, got none");
  if (!model.domains.has(domain)) {
    const imported = [...model.domains].map((one) => one || "ai.onnx").join(", ");
    throw nodeError(
      "unknown-opset",
      { node, path, position },
      `domain: expected one of the imported operator sets (${imported}), got ${JSON.stringify(domain || "ai.onnx")}`,
    );
  }
  const schema = operatorSchema(node.opType, domain);
  if (schema === undefined) return;
  const [fewest, most] = schema.inputs;
  if (node.input.length < fewest || node.input.length > most) {
    const expected =
      fewest === most
        ? `${fewest}`
        : most === Number.POSITIVE_INFINITY
          ? `at least ${fewest}`
          : `${fewest} to ${most}`;
    throw nodeError(
      "input-count",
      { node, path, position },
      `inputs: expected ${expected}, got ${node.input.length}`,
    );
  }
  if (node.output.length > schema.outputs[1] || node.output.length < schema.outputs[0]) {
    const expected =
      schema.outputs[1] === Number.POSITIVE_INFINITY
        ? `at least ${schema.outputs[0]}`
        : `at most ${schema.outputs[1]}`;
    throw nodeError(
      "output-count",
      { node, path, position },
      `outputs: expected ${expected}, got ${node.output.length}`,
    );
  }
  if (node.input[0] === "" && fewest > 0) {
    throw nodeError("missing-input", { node, path, position }, 'input 0: expected a value, got ""');
  }
};

const isVisible = (scope: Scope | undefined, name: string): boolean =>
  scope !== undefined && (scope.names.has(name) || isVisible(scope.outer, name));

const checkInputs = (node: NodeProto, scope: Scope, position: number): void => {
  for (const [index, name] of node.input.entries()) {
    if (name === "" || isVisible(scope, name)) continue;
    throw nodeError(
      "missing-input",
      { node, path: scope.path, position, value: name },
      `input ${index}: expected a value that the model defines, got ${JSON.stringify(name)}`,
    );
  }
};

const checkOutputs = (graph: GraphProto, scope: Scope): void => {
  if (graph.output.length === 0) {
    throw new GraphError(
      "missing-output",
      `validateModel: graph ${scope.path}: outputs: expected at least one, got none`,
      {
        graph: scope.path,
      },
    );
  }
  for (const [index, { name }] of graph.output.entries()) {
    if (scope.names.has(name)) continue;
    const outside = isVisible(scope.outer, name);
    throw new GraphError(
      outside ? "subgraph-outputs" : "missing-output",
      `validateModel: graph ${scope.path}: output ${index}: expected a value of this graph, got ${JSON.stringify(name)}` +
        (outside ? " of a graph around it; pass it through Identity" : ""),
      { graph: scope.path, value: name },
    );
  }
};
