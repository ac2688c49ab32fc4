import {
  type AttributeProto,
  copyMessage,
  type FunctionProto,
  type GraphProto,
  makeGraph,
  makeModel,
  type ModelProto,
  type NodeProto,
  type OperatorSetIdProto,
  type TensorProto,
  type ValueInfoProto,
} from "@nasty/formats/onnx";
import { Graph } from "../graph.js";
import { NameRegistry } from "../name-registry.js";
import { raiseGraph } from "../opset/raise-graph.js";
import { calledBy, functionKey, type Functions, functionLabel, reachedFunctions } from "./expanded-size.js";
import { instantiate } from "./instantiate.js";

/**
 * Puts the bodies of a model's functions in the place of their calls, in nested graphs too, so that the model has
 * operators only.
 *
 * Exporters make a function of a module (`pkg.torch.Linear`) and keep weights in it. New names begin with that of the
 * call. Where functions import another operator set than the model, all is raised to the newest.
 *
 * @returns the model itself if it has no functions
 * @throws GraphError `recursive-function`; `expansion-limit` for calls that expand to more than 200,000 nodes or 100
 *   levels; `unsupported-opset` for operators that cannot be raised
 * @see ONNX 1.22, docs/IR.md, "Functions"
 * @example
 * ```ts
 * inlineFunctions(model).graph?.node.map(({ opType }) => opType); // ["MatMul", "Add", "Relu", …]
 * ```
 */
export function inlineFunctions(model: ModelProto): ModelProto {
  const { graph } = model;
  if (model.functions.length === 0 || graph === undefined) return model;
  const functions = new Map(
    model.functions.map((one) => [functionKey(one.domain, one.name, one.overload), one] as const),
  );
  const reached = reachedFunctions(model, functions);
  const own = opsetsOf(model.opsetImport);
  const opsets = new Map(own);
  for (const { opsetImport } of reached) {
    for (const [domain, version] of opsetsOf(opsetImport)) {
      opsets.set(domain, Math.max(version, opsets.get(domain) ?? 0));
    }
  }
  const names = new NameRegistry();
  reserveNames(graph, names);
  const expansion: Expansion = { functions, names, target: opsets.get("") ?? 0 };
  const raised = raisedTo(graph, own.get("") ?? expansion.target, expansion);
  const expanded = expandGraph(raised, expansion);
  const used = domainsOf(expanded, new Set());
  const ofFunctions = new Set(model.functions.map(({ domain }) => plain(domain)));
  const kept = [...opsets].filter(
    ([domain]) => used.has(domain) || !ofFunctions.has(domain) || domain === "",
  );
  return copyMessage(model, { graph: expanded, functions: [], opsetImport: importsOf(kept) });
}

interface Expansion {
  readonly functions: Functions;
  readonly names: NameRegistry;
  /** Version of the default operator set that the expanded model has. */
  readonly target: number;
}

const plain = (domain: string): string => (domain === "ai.onnx" ? "" : domain);

const opsetsOf = (imports: readonly OperatorSetIdProto[]): Map<string, number> =>
  new Map(imports.map(({ domain, version }) => [plain(domain), Number(version)]));

const importsOf = (opsets: readonly (readonly [string, number])[]): OperatorSetIdProto[] =>
  makeModel(makeGraph("", { nodes: [], outputs: [] }), { opsets: Object.fromEntries(opsets) }).opsetImport;

/** A copy in a later operator set; calls of functions are left as they are. */
const raisedTo = (graph: GraphProto, from: number, { names, target }: Expansion): GraphProto => {
  if (from >= target) return graph;
  const opened = new Graph(graph, { names, listedInitializersAreConstant: false });
  for (const one of opened.allGraphs()) raiseGraph(one, { from, to: target });
  return opened.toProto();
};

const expandGraph = (graph: GraphProto, expansion: Expansion): GraphProto => {
  const nodes: NodeProto[] = [];
  const valueInfo: ValueInfoProto[] = [];
  const initializers: TensorProto[] = [];
  const expandNode = (node: NodeProto): void => {
    const called = calledBy(node, expansion.functions);
    if (called === undefined) {
      nodes.push(expandBodies(node, expansion));
      return;
    }
    const instance = instantiate(called, node, expansion.names);
    const body = raisedTo(
      makeGraph(functionLabel(called), { nodes: instance.nodes, outputs: [] }),
      versionOf(called, expansion),
      expansion,
    );
    initializers.push(...body.initializer);
    valueInfo.push(...instance.valueInfo);
    for (const one of body.node) expandNode(one);
  };
  for (const node of graph.node) expandNode(node);
  return copyMessage(graph, {
    node: nodes,
    valueInfo: [...graph.valueInfo, ...valueInfo],
    initializer: [...graph.initializer, ...initializers],
  });
};

const versionOf = ({ opsetImport }: FunctionProto, { target }: Expansion): number =>
  opsetsOf(opsetImport).get("") ?? target;

const expandBodies = (node: NodeProto, expansion: Expansion): NodeProto => {
  if (!node.attribute.some(({ g, graphs }) => g !== undefined || graphs.length > 0)) return node;
  const attribute = node.attribute.map(
    (one): AttributeProto =>
      copyMessage(one, {
        g: one.g === undefined ? undefined : expandGraph(one.g, expansion),
        graphs: one.graphs.map((graph) => expandGraph(graph, expansion)),
      }),
  );
  return copyMessage(node, { attribute });
};

const nestedIn = ({ attribute }: NodeProto): GraphProto[] =>
  attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));

const reserveNames = (graph: GraphProto, names: NameRegistry): void => {
  for (const { name } of [...graph.input, ...graph.initializer, ...graph.output]) names.reserve(name);
  for (const { values } of graph.sparseInitializer) if (values !== undefined) names.reserve(values.name);
  for (const node of graph.node) {
    names.reserve(node.name);
    for (const name of node.output) names.reserve(name);
    for (const nested of nestedIn(node)) reserveNames(nested, names);
  }
};

const domainsOf = (graph: GraphProto, found: Set<string>): Set<string> => {
  for (const node of graph.node) {
    found.add(plain(node.domain));
    for (const nested of nestedIn(node)) domainsOf(nested, found);
  }
  return found;
};
