import {
  copyMessage,
  type GraphProto,
  makeGraph,
  makeModel,
  makeValueInfo,
  type ModelOptions,
  type ModelProto,
  type OperatorSetIdProto,
} from "@nasty/formats/onnx";
import { dtypeOrUndefined } from "./element-type.js";
import { inlineFunctions } from "./functions/inline-functions.js";
import { Graph } from "./graph.js";
import type { GraphContext } from "./graph-context.js";
import { GraphError } from "./graph-error.js";
import { NameRegistry } from "./name-registry.js";

/** First IR version in which an initializer need not be an input too, and one that is may be overridden. */
const irVersionOfOptionalInputs = 4;

export interface ModelGraphOptions {
  /**
   * What initializers are that the model also lists as inputs: `constant`, or `input` (a run may feed another value).
   * Left out, the IR version decides as ONNX Runtime does: constants before version 4, inputs from then on.
   */
  readonly listedInitializers?: "constant" | "input";
}

/**
 * A model that can be edited; the message it came from is never changed.
 *
 * @example
 * ```ts
 * const model = ModelGraph.from(parseModel(bytes));
 * for (const node of model.main.nodes) if (node.opType === "Dropout") { … }
 * const edited = serializeModel(model.toModel());
 * ```
 */
export class ModelGraph {
  readonly main: Graph;
  readonly #proto: ModelProto;
  readonly #context: GraphContext;
  readonly #opsets: Map<string, number>;

  private constructor(given: ModelProto, options: ModelGraphOptions) {
    if (given.graph === undefined) {
      throw new GraphError("missing-graph", "ModelGraph.from: model: graph: expected one, got none");
    }
    const proto = inlineFunctions(given);
    this.#proto = copyMessage(proto);
    this.#opsets = new Map();
    for (const { domain, version } of proto.opsetImport) this.#opsets.set(domainKey(domain), Number(version));
    const constant =
      options.listedInitializers === undefined
        ? proto.irVersion < irVersionOfOptionalInputs
        : options.listedInitializers === "constant";
    this.#context = { names: new NameRegistry(), listedInitializersAreConstant: constant };
    this.main = new Graph(proto.graph as GraphProto, this.#context);
  }

  /**
   * Opens a model for editing: structure is cloned, tensor bytes are shared. Calls of the model's own functions become
   * the operators of their bodies, so that weights in them are found.
   *
   * @throws GraphError `missing-graph`, `duplicate-value`; for functions as {@link inlineFunctions}.
   */
  static from(model: ModelProto, options: ModelGraphOptions = {}): ModelGraph {
    return new ModelGraph(model, options);
  }

  /**
   * A model to be written: no nodes yet, no inputs and no outputs.
   *
   * @param name of the graph
   * @param options operator sets (21 of ONNX's own unless given) and IR version (10)
   */
  static empty(name: string, options: ModelOptions = {}): ModelGraph {
    return ModelGraph.from(makeModel(makeGraph(name, { nodes: [], outputs: [] }), options));
  }

  get irVersion(): number {
    return Number(this.#proto.irVersion);
  }

  /** Raises or lowers the IR version; meaning of listed initializers stays as it was when the model was opened. */
  setIrVersion(version: number): void {
    this.#proto.irVersion = BigInt(version);
  }

  /** Version of the operator set of a domain (`""`, also written `ai.onnx`, is ONNX's own); 0 if not imported. */
  opset(domain = ""): number {
    return this.#opsets.get(domainKey(domain)) ?? 0;
  }

  /** All operator sets that the model imports, by domain. */
  get opsets(): ReadonlyMap<string, number> {
    return this.#opsets;
  }

  /** Imports an operator set, or changes its version; no operator is converted. */
  setOpset(domain: string, version: number): void {
    this.#opsets.set(domainKey(domain), version);
  }

  allGraphs(): readonly Graph[] {
    return this.main.allGraphs();
  }

  /** The edited model as a message of its own: later edits do not show in it. Tensor bytes are shared. */
  toModel(): ModelProto {
    const model = copyMessage(this.#proto);
    model.graph = this.main.toProto();
    const before = this.#proto.opsetImport;
    const kept = before.map((entry) => withVersion(entry, this.opset(entry.domain)));
    const known = new Set(before.map(({ domain }) => domainKey(domain)));
    const added = [...this.#opsets].filter(([domain]) => !known.has(domain));
    model.opsetImport = [...kept, ...importsOf(added)];
    if (this.#context.listedInitializersAreConstant) listInitializers(model);
    return model;
  }
}

const domainKey = (domain: string): string => (domain === "ai.onnx" ? "" : domain);

const withVersion = (entry: OperatorSetIdProto, version: number): OperatorSetIdProto =>
  Number(entry.version) === version ? entry : copyMessage(entry, { version: BigInt(version) });

const importsOf = (opsets: readonly (readonly [string, number])[]): readonly OperatorSetIdProto[] =>
  makeModel(makeGraph("", { nodes: [], outputs: [] }), { opsets: Object.fromEntries(opsets) }).opsetImport;

/** Below IR version 4 every initializer is to be listed as an input too; from 4 on that would make it overridable. */
const listInitializers = ({ graph, irVersion }: ModelProto): void => {
  if (graph === undefined) return;
  if (irVersion >= irVersionOfOptionalInputs) {
    const names = new Set(graph.initializer.map(({ name }) => name));
    graph.input = graph.input.filter(({ name }) => !names.has(name));
    return;
  }
  const listed = new Set(graph.input.map(({ name }) => name));
  for (const { name, dataType, dims } of graph.initializer) {
    const dtype = dtypeOrUndefined(dataType);
    if (!listed.has(name) && dtype !== undefined)
      graph.input.push(makeValueInfo(name, dtype, dims.map(Number)));
  }
};
