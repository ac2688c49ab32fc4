import { intAttribute } from "@nasty/formats/onnx";
import { type Graph, isStandard } from "@nasty/graph";
import type { TfTensor } from "./tensorflow.js";

/** A trained table [rows, width] that nothing but Gather along its rows reads. */
export interface LookedUp {
  /** The rows looked up in a run, each once, in ascending order. */
  rows(valueOf: (name: string) => TfTensor): Int32Array;
}

/** The tables among the trained weights of a graph. */
export function lookedUpTables(graph: Graph, trained: ReadonlySet<string>): ReadonlyMap<string, LookedUp> {
  const readers = new Map<string, { readonly indices: readonly string[]; readonly isTable: boolean }>();
  for (const node of graph.nodes) {
    for (const [i, name] of node.input.entries()) {
      if (!trained.has(name)) continue;
      const before = readers.get(name) ?? { indices: [], isTable: true };
      const isLookUp =
        node.opType === "Gather" &&
        isStandard(node) &&
        i === 0 &&
        [0, -2].includes(intAttribute(node, "axis", 0));
      readers.set(name, {
        indices: [...before.indices, node.input[1] ?? ""],
        isTable: before.isTable && isLookUp && graph.initializer(name)?.dims.length === 2,
      });
    }
  }
  const tables = new Map<string, LookedUp>();
  for (const [name, { indices, isTable }] of readers) {
    if (!isTable) continue;
    const height = Number(graph.initializer(name)?.dims[0]);
    tables.set(name, {
      rows(valueOf) {
        const seen = new Set<number>();
        for (const one of indices)
          for (const index of valueOf(one).dataSync()) seen.add(index < 0 ? index + height : index);
        return Int32Array.from([...seen].sort((a, b) => a - b));
      },
    });
  }
  return tables;
}
