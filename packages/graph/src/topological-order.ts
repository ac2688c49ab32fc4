import type { NodeProto } from "@nasty/formats/onnx";
import type { ScopedGraph } from "./scoped-graph.js";
import { GraphError } from "./graph-error.js";

/** Names of `graph` that the graphs held by a node read. */
const captured = (graph: ScopedGraph, node: NodeProto): readonly string[] => {
  const names: string[] = [];
  for (const child of graph.subgraphs(node)) {
    for (const inner of child.allGraphs()) {
      const read = [...inner.nodes.flatMap(({ input }) => input), ...inner.outputs.map(({ name }) => name)];
      names.push(...read.filter((name) => inner.scopeOf(name) === graph));
    }
  }
  return names;
};

/** What a node reads, the readings of its subgraphs included. */
export const readNames = (graph: ScopedGraph, node: NodeProto): readonly string[] =>
  graph.subgraphs(node).length === 0 ? node.input : [...node.input, ...captured(graph, node)];

/**
 * The nodes of one graph, each after those whose results it reads; nodes that are in order already stay where they are.
 *
 * @throws GraphError `cycle`, naming the nodes of the cycle.
 */
export const topologicalOrder = (graph: ScopedGraph, operation = "sort"): readonly NodeProto[] => {
  const order: NodeProto[] = [];
  const state = new Map<NodeProto, "open" | "done">();
  for (const root of graph.nodes) {
    if (state.has(root)) continue;
    state.set(root, "open");
    const stack = [{ node: root, needs: makersOf(graph, root), next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const need = top.needs[top.next++];
      if (need === undefined) {
        state.set(top.node, "done");
        order.push(top.node);
        stack.pop();
        continue;
      }
      const seen = state.get(need);
      if (seen === "open") {
        const from = stack.findIndex(({ node }) => node === need);
        throw cycleError(
          operation,
          graph,
          stack.slice(from).map(({ node }) => node),
        );
      }
      if (seen === "done") continue;
      state.set(need, "open");
      stack.push({ node: need, needs: makersOf(graph, need), next: 0 });
    }
  }
  return order;
};

const makersOf = (graph: ScopedGraph, node: NodeProto): readonly NodeProto[] =>
  readNames(graph, node).flatMap((name) => (graph.defines(name) ? (graph.producer(name) ?? []) : []));

const cycleError = (operation: string, graph: ScopedGraph, nodes: readonly NodeProto[]): GraphError => {
  const reversed = [...nodes].reverse();
  const named = reversed.map(({ name, opType }) => `${JSON.stringify(name)} (${opType})`);
  const shown = named.length > 12 ? [...named.slice(0, 6), "…", ...named.slice(-5)] : named;
  return new GraphError(
    "cycle",
    `${operation}: graph ${graph.path}: nodes: expected no cycle, got ${[...shown, named[0]].join(" → ")}`,
    { graph: graph.path, node: reversed[0]?.name ?? "", operator: reversed[0]?.opType ?? "" },
  );
};
