import type { FunctionProto, ModelProto, NodeProto } from "@nasty/formats/onnx";
import { GraphError } from "../graph-error.js";
import { graphSlots } from "../subgraph-attributes.js";

/** Most nodes that calls may expand to: real exports have tens of thousands, nested calls double with each level. */
const maxNodes = 200_000;
/** Deepest nesting of calls; exporters make a level a module. */
const maxNesting = 100;

/** The functions of a model by what a node calls them. */
export type Functions = ReadonlyMap<string, FunctionProto>;

/** What a function goes by: operators of one domain and name may have overloads (IR version 10). */
export const functionKey = (domain: string, name: string, overload: string): string =>
  JSON.stringify([domain === "ai.onnx" ? "" : domain, name, overload]);

/** The function that a node calls, if it is no operator. */
export const calledBy = (node: NodeProto, functions: Functions): FunctionProto | undefined =>
  functions.get(functionKey(node.domain, node.opType, node.overload));

/** Name of a function for messages: `pkg.torch.Linear`. */
export const functionLabel = ({ domain, name, overload }: FunctionProto): string =>
  `${domain === "" ? "ai.onnx" : domain}.${name}${overload === "" ? "" : `:${overload}`}`;

/**
 * Checks that the calls of a model can be expanded, before anything is made.
 *
 * @returns the functions that nodes of the model call, themselves or through others
 * @throws GraphError `recursive-function` naming the way round, `expansion-limit` for too many nodes or levels
 */
export function reachedFunctions(model: ModelProto, functions: Functions): ReadonlySet<FunctionProto> {
  const sizes = new Map<FunctionProto, number>();
  const open: FunctionProto[] = [];

  const sizeOfBody = (nodes: readonly NodeProto[]): number => {
    let size = 0;
    for (const node of nodes) {
      const called = calledBy(node, functions);
      size += called === undefined ? 1 : sizeOf(called);
      for (const { graph } of graphSlots(node)) size += sizeOfBody(graph.node);
    }
    return size;
  };
  const sizeOf = (called: FunctionProto): number => {
    const known = sizes.get(called);
    if (known !== undefined) return known;
    const first = open.indexOf(called);
    if (first >= 0) {
      const way = [...open.slice(first), called].map(functionLabel).join(" → ");
      throw new GraphError(
        "recursive-function",
        `inlineFunctions: function ${functionLabel(called)}: calls: expected none of itself, got ${way}`,
        { operator: called.name },
      );
    }
    if (open.length >= maxNesting) {
      throw limit(called, `at most ${maxNesting} levels of calls`, "more");
    }
    open.push(called);
    const size = sizeOfBody(called.node);
    open.pop();
    if (size > maxNodes) throw limit(called, `at most ${maxNodes} nodes when its calls are expanded`, size);
    sizes.set(called, size);
    return size;
  };

  const total = sizeOfBody(model.graph?.node ?? []);
  // What the file itself holds is bounded by its size.
  const written = model.graph?.node.length ?? 0;
  if (sizes.size > 0 && total - written > maxNodes) {
    throw new GraphError(
      "expansion-limit",
      `inlineFunctions: model: calls of functions: expected at most ${maxNodes} nodes when they are expanded, got ${total}`,
    );
  }
  return new Set(sizes.keys());
}

const limit = (called: FunctionProto, expected: string, got: number | string): GraphError =>
  new GraphError(
    "expansion-limit",
    `inlineFunctions: function ${functionLabel(called)}: size: expected ${expected}, got ${got}`,
    { operator: called.name },
  );
