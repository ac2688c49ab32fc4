import type { DType } from "@nasty/core";
import {
  dtypeOf,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "@nasty/formats/onnx";
import { nodeLabel } from "../operators/checks.js";
import { PortableError } from "../portable-error.js";

/** An input or output as the model declares it; a dimension that varies is its symbolic name. */
export interface DeclaredValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
  /** Whether the model says how many axes there are. */
  readonly hasShape: boolean;
}

/** First version of the default operator set in which operands broadcast as they do today. */
const oldestOpset = 7;

const unsupported = (what: string): PortableError =>
  new PortableError("unsupported-model", `openModel: model: ${what}`);

/** The graph of a model that can be run at all, and the operator sets by domain. */
export const readGraph = (
  model: ModelProto,
): { readonly graph: GraphProto; readonly versions: ReadonlyMap<string, number> } => {
  const { graph } = model;
  if (graph === undefined)
    throw new PortableError("not-a-model", "openModel: model: graph: expected one, got none");
  if (model.functions.length > 0)
    throw unsupported(
      "functions: expected none, got some; inline them first (inlineFunctions of @nasty/graph)",
    );
  if (graph.sparseInitializer.length > 0) throw unsupported("sparse weights: expected none, got some");
  const versions = new Map(
    model.opsetImport.map(({ domain, version }) => [domain === "ai.onnx" ? "" : domain, Number(version)]),
  );
  const version = versions.get("");
  if (version !== undefined && version < oldestOpset)
    throw unsupported(
      `operator set: expected version ${oldestOpset} or later, got ${version}; raise it first (raiseOpset of @nasty/graph)`,
    );
  return { graph, versions };
};

export const declared = ({ name, type }: ValueInfoProto, role: "input" | "output"): DeclaredValue => {
  const found = type?.value.case === "tensorType" ? type.value.value : undefined;
  const dtype = found === undefined ? undefined : typeOf(found.elemType);
  if (found === undefined || dtype === undefined)
    throw new PortableError(
      "unsupported-type",
      `openModel: ${role} ${name}: type: expected a tensor of numbers, got another`,
      { value: name },
    );
  const shape = (found.shape?.dim ?? []).map(({ value }) =>
    value.case === "dimValue" ? Number(value.value) : value.case === "dimParam" ? value.value : "",
  );
  return { name, dtype, shape, hasShape: found.shape !== undefined };
};

const typeOf = (elementType: number): DType | undefined => {
  try {
    return dtypeOf(elementType);
  } catch {
    return undefined;
  }
};

/**
 * The nodes, each after those whose results it reads.
 *
 * @param given names of values that no node computes
 * @throws PortableError `unsupported-model` for names that nothing defines, or that two nodes do, and for cycles
 */
export const orderedNodes = (
  nodes: readonly NodeProto[],
  given: ReadonlySet<string>,
): readonly NodeProto[] => {
  const producers = new Map<string, NodeProto>();
  for (const node of nodes)
    for (const name of node.output) {
      if (name === "") continue;
      if (producers.has(name) || given.has(name))
        throw unsupported(`value ${name}: expected one definition, got two`);
      producers.set(name, node);
    }
  const waiting = new Map<NodeProto, number>();
  const readers = new Map<NodeProto, NodeProto[]>();
  for (const node of nodes) {
    const before = new Set<NodeProto>();
    for (const name of node.input) {
      if (name === "" || given.has(name)) continue;
      const producer = producers.get(name);
      if (producer === undefined)
        throw unsupported(
          `${nodeLabel(node)}: input ${name}: expected a value that something computes, got none`,
        );
      before.add(producer);
    }
    waiting.set(node, before.size);
    for (const producer of before) readers.set(producer, [...(readers.get(producer) ?? []), node]);
  }
  const ready = nodes.filter((node) => waiting.get(node) === 0);
  for (let i = 0; i < ready.length; i++)
    for (const reader of readers.get(ready[i] as NodeProto) ?? []) {
      const left = (waiting.get(reader) as number) - 1;
      waiting.set(reader, left);
      if (left === 0) ready.push(reader);
    }
  if (ready.length < nodes.length) {
    const stuck = nodes.find((node) => (waiting.get(node) as number) > 0) as NodeProto;
    throw unsupported(`${nodeLabel(stuck)}: expected no cycle, got one`);
  }
  return ready;
};
