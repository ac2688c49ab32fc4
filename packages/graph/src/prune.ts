import type { NodeProto } from "@nasty/formats/onnx";
import type { ScopedGraph } from "./scoped-graph.js";

export interface PruneCounts {
  readonly nodes: number;
  readonly initializers: number;
}

/** Removes what the outputs of a graph do not depend on; inputs stay, so the model is fed as before. */
export const pruneGraph = (root: ScopedGraph): PruneCounts => {
  const live = new Set<NodeProto>();
  const read = new Map<ScopedGraph, Set<string>>();
  const pending: { graph: ScopedGraph; name: string }[] = [];
  const want = (graph: ScopedGraph, name: string): void => {
    const scope = graph.scopeOf(name);
    if (scope === undefined) return;
    const names = read.get(scope) ?? new Set<string>();
    read.set(scope, names);
    if (names.has(name)) return;
    names.add(name);
    pending.push({ graph: scope, name });
  };
  const keep = (graph: ScopedGraph, node: NodeProto): void => {
    if (live.has(node)) return;
    live.add(node);
    for (const name of node.input) want(graph, name);
    for (const child of graph.subgraphs(node)) for (const { name } of child.outputs) want(child, name);
  };
  for (const { name } of root.outputs) want(root, name);
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const node = item.graph.producer(item.name);
    if (node !== undefined) keep(item.graph, node);
  }

  const removed = { nodes: 0, initializers: 0 };
  for (const graph of root.allGraphs()) {
    // A nested graph whose node went away went with it.
    if (graph !== root && graph.parentNode !== undefined && !live.has(graph.parentNode)) continue;
    for (const node of graph.nodes) {
      if (live.has(node)) continue;
      graph.removeNode(node);
      removed.nodes += 1;
    }
    for (const name of graph.initializers.keys()) {
      if (read.get(graph)?.has(name) === true || graph.isOverridable(name)) continue;
      graph.removeInitializer(name);
      removed.initializers += 1;
    }
  }
  return removed;
};
