import { type DType, type Tensor } from "@nasty/core";
import { type ModelProto, type NodeProto, tensorFromProto, attributeOf } from "@nasty/formats/onnx";
import type { Heap } from "../memory/heap.js";
import { nodeLabel } from "../operators/checks.js";
import { operatorOf } from "../operators/table.js";
import { PortableError } from "../portable-error.js";
import { fuse } from "./fuse.js";
import { declared, type DeclaredValue, orderedNodes, readGraph } from "./graph-reading.js";
import { type BuiltNode, type OpenNode, Refusal } from "./operator.js";
import type { Value, ValueInfo } from "./value.js";

/** A node of a program; values have numbers, −1 stands for one that is left out. */
export interface ProgramNode {
  readonly label: string;
  readonly node: NodeProto;
  readonly built: BuiltNode;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Values that no later node reads. */
  readonly finished: readonly number[];
}

/** A model as nodes that can be run, whatever the shapes. */
export interface Program {
  readonly inputs: readonly DeclaredValue[];
  readonly outputs: readonly DeclaredValue[];
  /** Numbers of the inputs and outputs. */
  readonly inputNumbers: readonly number[];
  readonly outputNumbers: readonly number[];
  /** Inputs whose rows are only looked up, by any number of rows. */
  readonly isLookedUp: readonly boolean[];
  readonly nodes: readonly ProgramNode[];
  /** Values that stay the same: weights in memory, and what follows from them. */
  readonly constants: ReadonlyMap<number, Value>;
  readonly valueCount: number;
}

/** What each value is called, and what is known of it. */
class Names {
  readonly #numbers = new Map<string, number>();
  readonly infos: (ValueInfo | undefined)[] = [];

  numberOf(name: string): number {
    if (name === "") return -1;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const next = this.#numbers.size;
    this.#numbers.set(name, next);
    return next;
  }

  infoOf(name: string): ValueInfo | undefined {
    return name === "" ? undefined : this.infos[this.numberOf(name)];
  }

  set(name: string, info: ValueInfo): void {
    if (name !== "") this.infos[this.numberOf(name)] = info;
  }

  get count(): number {
    return this.#numbers.size;
  }
}

interface Reader {
  readonly node: NodeProto;
  readonly input: number;
}

const readersOf = (nodes: readonly NodeProto[]): Map<string, Reader[]> => {
  const readers = new Map<string, Reader[]>();
  for (const node of nodes)
    for (const [input, name] of node.input.entries()) {
      const found = readers.get(name);
      if (found === undefined) readers.set(name, [{ node, input }]);
      else found.push({ node, input });
    }
  return readers;
};

/** Why a node cannot be run, for the list of all such nodes. */
interface Refused {
  readonly node: NodeProto;
  readonly reason: string;
  readonly kind: "operator" | "type";
}

const refusal = (refused: readonly Refused[]): PortableError => {
  const [first] = refused as readonly [Refused];
  const lines = refused.map(({ node, reason }) => `${nodeLabel(node)}: ${reason}`);
  const shown = lines.length > 20 ? [...lines.slice(0, 20), `and ${lines.length - 20} more`] : lines;
  return new PortableError(
    first.kind === "type" ? "unsupported-type" : "unsupported-operator",
    `openModel: ${refused.length === 1 ? "node" : `${refused.length} nodes`}: expected what the portable engine runs, got ${shown.join("; ")}`,
    { node: first.node.name, operator: first.node.opType },
  );
};

const causeOf = (node: NodeProto, error: unknown): Refused => {
  if (error instanceof Refusal) return { node, reason: error.message, kind: error.kind };
  const isAboutInput =
    error instanceof RangeError || (error instanceof Error && "kind" in error && error.kind === "input");
  if (isAboutInput) return { node, reason: (error as Error).message, kind: "operator" };
  throw error;
};

/**
 * Reads a model and checks every node, weights packed and put into memory.
 *
 * @throws PortableError `unsupported-operator` or `unsupported-type` naming all nodes that cannot be run,
 *   `unsupported-model`, `not-a-model`
 */
export const readProgram = (model: ModelProto, heap: Heap): Program => {
  const { graph, versions } = readGraph(model);
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const constants = new Map<string, Tensor>();
  const constantOf = (name: string): Tensor | undefined => {
    const known = constants.get(name);
    if (known !== undefined) return known;
    const stored = weights.get(name);
    const tensor =
      stored === undefined ? constantNodeTensor(constantNodes.get(name)) : tensorFromProto(stored);
    if (tensor !== undefined) constants.set(name, tensor);
    return tensor;
  };
  const constantNodes = new Map(
    graph.node
      .filter(({ opType, domain }) => opType === "Constant" && (domain === "" || domain === "ai.onnx"))
      .map((node) => [node.output[0] ?? "", node]),
  );
  const inputs = graph.input.filter(({ name }) => !weights.has(name)).map((one) => declared(one, "input"));
  const outputs = graph.output.map((one) => declared(one, "output"));
  const outputNames = new Set(outputs.map(({ name }) => name));
  const given = new Set([...inputs.map(({ name }) => name), ...weights.keys()]);
  const nodes = fuse(orderedNodes(graph.node, given), outputNames, constantOf);

  const names = new Names();
  for (const { name, dtype } of inputs) names.set(name, { dtype, isStatic: false });
  const readers = readersOf(nodes);
  const refused: Refused[] = [];
  const built: { readonly node: NodeProto; readonly built: BuiltNode }[] = [];
  /** Types of what refused nodes would compute are not known: nodes after them are not judged. */
  const unknown = new Set<string>();
  const infoOf = (name: string): ValueInfo | undefined => {
    const known = names.infoOf(name);
    if (known !== undefined || name === "") return known;
    const constant = constantOf(name);
    if (constant === undefined) return undefined;
    const info: ValueInfo = { dtype: constant.dtype, isStatic: true, constant };
    names.set(name, info);
    return info;
  };
  for (const node of nodes) {
    try {
      const operator = operatorOf(node);
      if (node.input.some((name) => unknown.has(name))) {
        for (const name of node.output) unknown.add(name);
        continue;
      }
      const open: OpenNode = {
        node,
        version: versions.get(node.domain === "ai.onnx" ? "" : node.domain) ?? 0,
        inputs: node.input.map(infoOf),
        heap,
        consumers: (output) => readers.get(node.output[output] ?? "") ?? [],
        isGraphOutput: (output) => outputNames.has(node.output[output] ?? ""),
        constantOf,
      };
      const found = operator(open);
      const folded = foldedOutputs(open, found);
      for (const [index, name] of node.output.entries())
        names.set(name, {
          dtype: found.outputs[index] as DType,
          isStatic: found.isOfShapes === true || isStaticNode(open, found),
          constant: folded?.[index],
        });
      if (folded === undefined) built.push({ node, built: found });
      else for (const [index, name] of node.output.entries()) constants.set(name, folded[index] as Tensor);
    } catch (error) {
      refused.push(causeOf(node, error));
      for (const name of node.output) unknown.add(name);
    }
  }
  if (refused.length > 0) throw refusal(refused);
  for (const { name } of outputs)
    if (infoOf(name) === undefined)
      throw new PortableError(
        "unsupported-model",
        `openModel: output ${name}: expected a value that something computes, got none`,
      );
  return assemble(built, { inputs, outputs, names, heap, infoOf });
};

const constantNodeTensor = (node: NodeProto | undefined): Tensor | undefined => {
  const value = node === undefined ? undefined : attributeOf(node, "value")?.t;
  return value === undefined ? undefined : tensorFromProto(value);
};

const isStaticNode = ({ inputs }: OpenNode, { host }: BuiltNode): boolean =>
  host !== undefined && inputs.every((info) => info === undefined || info.isStatic);

/** What a node of weights alone computes, if JavaScript can. */
const foldedOutputs = ({ inputs }: OpenNode, { host }: BuiltNode): readonly Tensor[] | undefined => {
  if (host === undefined || !inputs.every((info) => info === undefined || info.constant !== undefined))
    return undefined;
  return host(inputs.map((info) => info?.constant));
};

interface Assembly {
  readonly inputs: readonly DeclaredValue[];
  readonly outputs: readonly DeclaredValue[];
  readonly names: Names;
  readonly heap: Heap;
  readonly infoOf: (name: string) => ValueInfo | undefined;
}

const assemble = (
  built: readonly { readonly node: NodeProto; readonly built: BuiltNode }[],
  { inputs, outputs, names, heap, infoOf }: Assembly,
): Program => {
  const outputNumbers = outputs.map(({ name }) => names.numberOf(name));
  const constants = new Map<number, Value>();
  for (const { node, built: own } of built)
    for (const [index, name] of node.input.entries()) {
      const constant = infoOf(name)?.constant;
      if (constant === undefined) continue;
      const number = names.numberOf(name);
      const isPacked = own.packed?.includes(index) === true;
      const isPlaced = constants.get(number)?.at !== undefined;
      if (isPlaced || (isPacked && constants.has(number))) continue;
      const at = isPacked || constant.data.length === 0 ? undefined : heap.keep(constant);
      constants.set(number, { dtype: constant.dtype, shape: constant.shape, known: constant, at });
    }
  for (const { name } of outputs) {
    const constant = infoOf(name)?.constant;
    if (constant !== undefined)
      constants.set(names.numberOf(name), { dtype: constant.dtype, shape: constant.shape, known: constant });
  }
  const kept = new Set(outputNumbers);
  const seen = new Set<number>(kept);
  const nodes = [...built].reverse().map(({ node, built: own }): ProgramNode => {
    const read = node.input.map((name) => names.numberOf(name));
    const written = node.output.map((name) => names.numberOf(name));
    const finished = [...new Set([...read, ...written])].filter((number) => number >= 0 && !seen.has(number));
    for (const number of finished) seen.add(number);
    return { label: nodeLabel(node), node, built: own, inputs: read, outputs: written, finished };
  });
  const readers = readersOf(built.map(({ node }) => node));
  return {
    inputs,
    outputs,
    inputNumbers: inputs.map(({ name }) => names.numberOf(name)),
    outputNumbers,
    isLookedUp: inputs.map(
      ({ name, dtype, shape }) =>
        shape.length >= 1 &&
        dtype === "float32" &&
        !kept.has(names.numberOf(name)) &&
        (readers.get(name) ?? []).every(({ node, input }) => isLookUp(node) && input === 0),
    ),
    nodes: nodes.reverse(),
    constants,
    valueCount: names.count,
  };
};

const isLookUp = ({ domain, opType, attribute }: NodeProto): boolean =>
  opType === "Gather" &&
  (domain === "" || domain === "ai.onnx") &&
  (attribute.find(({ name }) => name === "axis")?.i ?? 0n) === 0n;
