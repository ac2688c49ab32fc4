import type { NodeProto } from "@nasty/formats/onnx";
import { GraphError } from "./graph-error.js";

/** A node was given that `path` does not hold. */
export function foreignNode(path: string, node: NodeProto, operation: string): GraphError {
  return new GraphError(
    "foreign-node",
    `${operation}: node ${JSON.stringify(node.name)} (${node.opType}): graph: expected a node of ${path}, got one that is not in it`,
    { graph: path, node: node.name, operator: node.opType },
  );
}

/** A second definition of a value, by `node` if one is given. */
export function duplicateValue(path: string, name: string, node?: NodeProto): GraphError {
  const where =
    node === undefined
      ? `graph ${path}`
      : `node ${JSON.stringify(node.name)} (${node.opType}, graph ${path})`;
  return new GraphError(
    "duplicate-value",
    `ModelGraph: ${where}: value name: expected one definition in the graph, got a second of ${JSON.stringify(name)}`,
    { graph: path, value: name, ...(node && { node: node.name, operator: node.opType }) },
  );
}

/** A reader in a nested graph would see another value of that name. */
export function shadowedValue(
  node: NodeProto,
  graphs: { readonly name: string; readonly reader: string; readonly wanted: string; readonly found: string },
): GraphError {
  const { name, reader, wanted, found } = graphs;
  return new GraphError(
    "shadowed-value",
    `replaceUses: node ${JSON.stringify(node.name)} (${node.opType}, graph ${reader}): ${JSON.stringify(name)}: expected the value of graph ${wanted}, got one of graph ${found}`,
    { graph: reader, node: node.name, operator: node.opType, value: name },
  );
}
