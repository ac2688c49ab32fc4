import type { NodeProto } from "@nasty/formats/onnx";
import { type Graph, isFlat, operatorLabel, type ValueTypes } from "@nasty/graph";
import { TrainingError } from "../training-error.js";
import type { GradientWriter } from "./gradient-writer.js";
import { ruleOf } from "./rules/table.js";
import type { GradientContext } from "./rule.js";

/** Names of two tensors: row indices, int64 [N], and what is to be added to those rows, float32 [N, D]. */
export interface RowGradient {
  readonly indices: string;
  readonly values: string;
}

export interface BackpropagateFields {
  readonly graph: Graph;
  /** Types of the forward graph. */
  readonly types: ValueTypes;
  readonly writer: GradientWriter;
  /** Initializers whose gradients are wanted. */
  readonly trained: ReadonlySet<string>;
  /** Gradients of the loss with respect to tensors of the forward graph. */
  readonly seeds: readonly { readonly tensor: string; readonly gradient: string }[];
}

export interface TensorGradient {
  readonly dense: string | undefined;
  readonly rows: readonly RowGradient[];
}

/** Emits the backward pass and returns the gradients of the trained initializers by name. */
export function backpropagate(fields: BackpropagateFields): ReadonlyMap<string, TensorGradient> {
  const { graph, types, writer, trained, seeds } = fields;
  const forward = forwardNodes(
    graph,
    seeds.map(({ tensor }) => tensor),
  );
  const wanted = new Set<string>(trained);
  const path: NodeProto[] = [];
  for (const node of forward) {
    if (!carriesGradient(node, wanted)) continue;
    for (const output of node.output) if (output !== "") wanted.add(output);
    path.push(node);
  }

  const pieces = new Map<string, string[]>();
  const rows = new Map<string, RowGradient[]>();
  const accumulate = (tensor: string, gradient: string): void => {
    if (!wanted.has(tensor)) return;
    const list = pieces.get(tensor);
    if (list === undefined) pieces.set(tensor, [gradient]);
    else list.push(gradient);
  };
  const total = (tensor: string): string | undefined => {
    const list = pieces.get(tensor);
    if (list === undefined) return undefined;
    if (list.length > 1) list.splice(0, list.length, writer.sum(list));
    return list[0];
  };
  for (const { tensor, gradient } of seeds) accumulate(tensor, gradient);

  for (const node of path.reverse()) {
    if (!node.output.some((name) => pieces.has(name))) continue;
    const rule = ruleOf(node);
    if (rule === undefined) throw unsupported(node);
    const inputs = [...node.input];
    const context = contextOf({ graph, types, writer, node, wanted, total, trained, rows });
    for (const [i, gradient] of rule(context).entries()) {
      if (gradient !== undefined) accumulate(inputs[i] as string, gradient);
    }
  }
  const result = new Map<string, TensorGradient>();
  for (const name of trained) {
    const gradient = { dense: total(name), rows: rows.get(name) ?? [] };
    if (gradient.dense !== undefined || gradient.rows.length > 0) result.set(name, gradient);
  }
  return result;
}

/** The nodes that the loss depends on, in an order in which they can run. */
function forwardNodes(graph: Graph, tensors: readonly string[]): NodeProto[] {
  const done = new Set<NodeProto>();
  const order: NodeProto[] = [];
  // An explicit stack: deep graphs would overflow that of recursive calls.
  const stack = tensors.map((name) => ({ node: graph.producer(name), expanded: false }));
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { node, expanded } = item;
    if (node === undefined || done.has(node)) continue;
    if (expanded) {
      done.add(node);
      order.push(node);
      continue;
    }
    stack.push({ node, expanded: true });
    const names = [...node.input, ...graph.subgraphs(node).flatMap((body) => outerNames(body))];
    for (const name of names) stack.push({ node: graph.producer(name), expanded: false });
  }
  return order;
}

function outerNames(body: Graph): string[] {
  return body
    .allGraphs()
    .flatMap((graph) => graph.nodes.flatMap((node) => node.input))
    .filter((name) => name !== "" && !body.defines(name));
}

function carriesGradient(node: NodeProto, wanted: ReadonlySet<string>): boolean {
  if (isFlat(node)) return false;
  // Gradients enter through real operands only: indices, shapes and conditions are never in `wanted`.
  return node.input.some((name) => wanted.has(name));
}

function unsupported(node: NodeProto): TrainingError {
  const name = node.name || node.output[0] || "";
  const operator = operatorLabel(node);
  return new TrainingError(
    "unsupported-operator",
    `buildTrainingGraph: node ${JSON.stringify(name)}: operator: expected one with a gradient rule, got ${operator}`,
    { node: name, operator },
  );
}

interface ContextFields {
  readonly graph: Graph;
  readonly types: ValueTypes;
  readonly writer: GradientWriter;
  readonly node: NodeProto;
  readonly wanted: ReadonlySet<string>;
  readonly total: (tensor: string) => string | undefined;
  readonly trained: ReadonlySet<string>;
  readonly rows: Map<string, RowGradient[]>;
}

function contextOf({
  graph,
  types,
  writer,
  node,
  wanted,
  total,
  trained,
  rows,
}: ContextFields): GradientContext {
  const input = (index: number): string => node.input[index] ?? "";
  const output = (index: number): string => {
    const name = node.output[index] ?? "";
    if (name !== "") return name;
    const added = graph.uniqueName(`${node.output[0]}/output${index}`);
    graph.setOutput(node, index, added);
    return added;
  };
  const gradient = (index: number): string | undefined => total(node.output[index] ?? "");
  const refuse = (what: string, expected: string, got: string): never => {
    const name = node.name || node.output[0] || "";
    throw new TrainingError(
      "unsupported-attribute",
      `buildTrainingGraph: node ${JSON.stringify(name)} (${node.opType}): ${what}: expected ${expected}, got ${got}`,
      { node: name, operator: node.opType },
    );
  };
  const dimensions = (name: string) => types.typeOf(graph, name)?.shape;
  return {
    node,
    writer,
    input,
    output,
    gradient,
    refuse,
    dimensions,
    gradientOrZeros: (index) => gradient(index) ?? writer.zerosLike(output(index)),
    needs: (index) => wanted.has(input(index)),
    dtype: (name) => types.typeOf(graph, name)?.dtype,
    rank(name) {
      const shape = dimensions(name);
      return shape === undefined
        ? refuse(`rank of ${JSON.stringify(name)}`, "a known rank", "an unknown one")
        : shape.length;
    },
    constant: (name) => (trained.has(name) ? undefined : graph.constant(name)),
    acceptRows(table, indices, values) {
      if (!trained.has(table)) return false;
      const list = rows.get(table) ?? [];
      list.push({ indices, values });
      rows.set(table, list);
      return true;
    },
    replaceForward(values) {
      const names = [...node.output];
      graph.removeNode(node);
      for (const [i, value] of values.entries()) {
        const producer = value === undefined ? undefined : graph.producer(value);
        if (value === undefined || producer === undefined) continue;
        graph.setOutput(producer, producer.output.indexOf(value), names[i] as string);
      }
    },
  };
}
