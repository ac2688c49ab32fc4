import type { Tensor } from "@nasty/core";
import {
  type AttributeValue,
  copyMessage,
  type GraphProto,
  makeAttribute,
  makeNode,
  type NodeProto,
  type TensorProto,
  tensorToProto,
  type ValueInfoProto,
} from "@nasty/formats/onnx";
import { constantValue } from "./constant-value.js";
import type { GraphContext } from "./graph-context.js";
import { GraphBoundary, repeatedName } from "./graph-boundary.js";
import { duplicateValue, foreignNode, shadowedValue } from "./edit-errors.js";
import type { NodeFields, NodePosition } from "./node-fields.js";
import { NodeList } from "./node-list.js";
import { pruneGraph, type PruneCounts } from "./prune.js";
import type { ScopedGraph } from "./scoped-graph.js";
import { copyNode, graphSlots } from "./subgraph-attributes.js";
import { topologicalOrder } from "./topological-order.js";
import { ValueIndex } from "./value-index.js";

/** One place where a value is read, in the graph that defines it or in one nested in it. */
export interface Use {
  readonly node: NodeProto;
  /** Which input of the node, from 0. */
  readonly index: number;
  /** The graph that holds the node. */
  readonly graph: Graph;
}

interface Owner {
  readonly graph: Graph;
  readonly node: NodeProto;
  readonly label: string;
}

/**
 * One graph of a model, main or nested, that can be read and edited.
 *
 * Names resolve as ONNX scopes them: a nested graph sees what the graphs around it define, and a definition of its
 * own hides theirs. Edits cost O(1) amortised; `nodes` is a snapshot, so a loop over it may edit.
 * Nodes belong to the editor: read their fields freely, change inputs and outputs only through the methods here.
 */
export class Graph implements ScopedGraph {
  /** The graph around this one, for a body of If, Loop or Scan. */
  readonly parent: Graph | undefined;
  /** The node whose attribute holds this graph. */
  readonly parentNode: NodeProto | undefined;
  /** `main`, or the path through nodes and attributes: `main/If_3.then_branch`. */
  readonly path: string;

  readonly #context: GraphContext;
  readonly #proto: GraphProto;
  readonly #list = new NodeList();
  readonly #index = new ValueIndex();
  readonly #children = new Map<NodeProto, Graph[]>();
  readonly #boundary: GraphBoundary;

  /** Use `ModelGraph.from`; a graph by itself has no operator set. */
  constructor(proto: GraphProto, context: GraphContext, owner?: Owner) {
    this.#context = context;
    this.parent = owner?.graph;
    this.parentNode = owner?.node;
    this.path = owner === undefined ? "main" : `${owner.graph.path}/${owner.label}`;
    this.#proto = copyMessage(proto);
    const constantIfListed = this.parent !== undefined || context.listedInitializersAreConstant;
    this.#boundary = new GraphBoundary(proto, constantIfListed);
    const twice = repeatedName(proto.input) ?? repeatedName(proto.initializer);
    if (twice !== undefined) throw duplicateValue(this.path, twice);
    for (const { name } of [...proto.input, ...proto.initializer]) context.names.reserve(name);
    for (const node of proto.node) this.#insert(copyNode(node), {});
  }

  /** The nodes in order: a snapshot that later edits leave as it is. */
  get nodes(): readonly NodeProto[] {
    return this.#list.toArray();
  }

  get nodeCount(): number {
    return this.#list.size;
  }

  /**
   * What a caller may feed: initializers that are constants are left out even if the file lists them (IR version < 4).
   */
  get inputs(): readonly ValueInfoProto[] {
    return [...this.#boundary.inputs.values()].filter(({ name }) => !this.#boundary.isConstant(name));
  }

  get outputs(): readonly ValueInfoProto[] {
    return [...this.#boundary.outputs];
  }

  /** Initializers of this graph, by name, in the order of the file. */
  get initializers(): ReadonlyMap<string, TensorProto> {
    return this.#boundary.initializers;
  }

  /** Name that the file gives the graph. */
  get name(): string {
    return this.#proto.name;
  }

  /** True if this graph itself defines `name`: as an input, an initializer or an output of a node. */
  defines(name: string): boolean {
    return this.#boundary.defines(name) || this.#index.producer(name) !== undefined;
  }

  /** The innermost graph, this one or one around it, that defines `name`. */
  scopeOf(name: string): Graph | undefined {
    if (name === "") return undefined;
    return this.defines(name) ? this : this.parent?.scopeOf(name);
  }

  /** The node that makes `name`, here or in a graph around; undefined for inputs and initializers. */
  producer(name: string): NodeProto | undefined {
    const scope = this.scopeOf(name);
    return scope === undefined ? undefined : scope.#index.producer(name);
  }

  /**
   * Everywhere that `name`, as this graph sees it, is read: nodes of the defining graph and of all graphs nested in it
   * that do not hide it. Graph outputs are not uses: ask `isOutput`.
   */
  consumers(name: string): readonly Use[] {
    const found: Use[] = [];
    (this.scopeOf(name) ?? this.#root()).#collectUses(name, found);
    return found;
  }

  /** True if `name` is an output of the graph that defines it. */
  isOutput(name: string): boolean {
    return (this.scopeOf(name) ?? this).#boundary.isOutput(name);
  }

  /** The initializer called `name`, here or in a graph around. */
  initializer(name: string): TensorProto | undefined {
    return this.scopeOf(name)?.initializers.get(name);
  }

  /** True for an initializer that a caller may feed another value for (listed as input, IR version ≥ 4). */
  isOverridable(name: string): boolean {
    const scope = this.scopeOf(name);
    return scope !== undefined && scope.#boundary.isOverridable(name);
  }

  /**
   * The value of `name` if no run can change it: an initializer or a `Constant` node, through `Identity` nodes.
   *
   * Undefined for everything else: computed values, overridable initializers, strings, sparse tensors and element types
   * that `@nasty/core` has none for. A view of the model's bytes where alignment allows.
   */
  constant(name: string): Tensor | undefined {
    return constantValue(this, name);
  }

  /** Type that the file declares for a value of this graph: input, output or value_info. */
  declaredType(name: string): ValueInfoProto | undefined {
    return this.#boundary.declaredType(name);
  }

  /** The graphs held by a node of this graph: bodies of If, Loop, Scan. */
  subgraphs(node: NodeProto): readonly Graph[] {
    return this.#children.get(node) ?? [];
  }

  /** This graph and all that are nested in it, outer before inner. */
  allGraphs(): readonly Graph[] {
    return [this, ...[...this.#children.values()].flat().flatMap((child) => child.allGraphs())];
  }

  /**
   * Adds a node and returns it.
   *
   * @throws GraphError `duplicate-value` if the graph already defines an output; `foreign-node` if the neighbour given
   * is not a node of this graph.
   */
  addNode(fields: NodeFields, position: NodePosition = {}): NodeProto {
    const neighbour = position.before ?? position.after;
    if (neighbour !== undefined) this.#own(neighbour, "addNode");
    const { opType, domain = "", attributes = {} } = fields;
    const name = fields.name ?? this.uniqueName(opType);
    const node = makeNode(opType, fields.inputs, fields.outputs, { name, domain, attributes });
    return this.#insert(node, position);
  }

  /** Takes a node out, with the graphs it holds; values it made stay named wherever they are read. */
  removeNode(node: NodeProto): void {
    this.#own(node, "removeNode");
    this.#index.removeNode(node);
    this.#children.delete(node);
    this.#list.remove(node);
  }

  /** Lets input `index` of a node read another value; `""` leaves it out; an index past the end adds an input. */
  setInput(node: NodeProto, index: number, name: string): void {
    this.#own(node, "setInput");
    while (node.input.length < index) node.input.push("");
    const previous = node.input[index] ?? "";
    node.input[index] = name;
    this.#index.moveUse(node, index, previous, name);
  }

  /**
   * Renames output `index` of a node; uses keep the old name (see `replaceUses`).
   *
   * @throws GraphError `duplicate-value` if the graph already defines `name`.
   */
  setOutput(node: NodeProto, index: number, name: string): void {
    this.#own(node, "setOutput");
    const previous = node.output[index] ?? "";
    if (previous === name) return;
    if (name !== "") {
      this.#refuseDuplicate(this.defines(name), name);
      this.#context.names.reserve(name);
    }
    while (node.output.length < index) node.output.push("");
    node.output[index] = name;
    this.#index.moveProducer(node, previous, name);
  }

  /**
   * Lets every reader of `oldName`, nested graphs included, read `newName`; graph outputs keep their names.
   *
   * @param options.except nodes that go on reading the old value.
   * @returns how many inputs were changed.
   * @throws GraphError `shadowed-value` if a nested graph that reads the old value gives `newName` another meaning.
   */
  replaceUses(
    oldName: string,
    newName: string,
    options: { readonly except?: Iterable<NodeProto> } = {},
  ): number {
    const except = new Set(options.except);
    const uses = this.consumers(oldName).filter(({ node }) => !except.has(node));
    const meaning = this.scopeOf(newName);
    for (const { graph, node } of uses) {
      const scope = graph.scopeOf(newName);
      if (scope === meaning || scope === undefined) continue;
      throw shadowedValue(node, {
        name: newName,
        reader: graph.path,
        wanted: meaning?.path ?? this.path,
        found: scope.path,
      });
    }
    for (const { graph, node, index } of uses) graph.setInput(node, index, newName);
    return uses.length;
  }

  /**
   * Takes a node out that hands its first input on: whoever read its first output, nested graphs included, reads the
   * input. A graph output of that name keeps it, and has no maker then.
   *
   * @throws GraphError `shadowed-value` as {@link replaceUses}.
   */
  bypassNode(node: NodeProto): void {
    this.#own(node, "bypassNode");
    const [input = "", output = ""] = [node.input[0], node.output[0]];
    this.replaceUses(output, input);
    this.removeNode(node);
  }

  /** Sets or replaces one attribute; graphs go in with the node (`addNode`). */
  setAttribute(node: NodeProto, name: string, value: AttributeValue): void {
    this.#own(node, "setAttribute");
    const attribute = makeAttribute(name, value);
    const others = node.attribute.filter((other) => other.name !== name);
    node.attribute = [...others, attribute];
  }

  removeAttribute(node: NodeProto, name: string): void {
    this.#own(node, "removeAttribute");
    node.attribute = node.attribute.filter((attribute) => attribute.name !== name);
  }

  /**
   * Adds a constant tensor; its data is shared, not copied.
   *
   * @returns `name`, or a free name made of it if it is taken anywhere in the model.
   */
  addInitializer(name: string, tensor: Tensor): string {
    const free = this.uniqueName(name);
    this.#boundary.initializers.set(free, tensorToProto(tensor, free));
    return free;
  }

  /**
   * Puts a tensor under exactly this name, in the place of an initializer of that name if there is one.
   *
   * @throws GraphError `duplicate-value` if the name belongs to an input or to an output of a node of this graph.
   */
  setInitializer(name: string, tensor: Tensor): void {
    if (!this.#boundary.initializers.has(name)) this.#refuseDuplicate(this.defines(name), name);
    this.#context.names.reserve(name);
    this.#boundary.initializers.set(name, tensorToProto(tensor, name));
  }

  removeInitializer(name: string): void {
    this.#boundary.removeInitializer(name);
  }

  addInput(info: ValueInfoProto): void {
    this.#refuseDuplicate(this.defines(info.name), info.name);
    this.#boundary.inputs.set(info.name, info);
    this.#context.names.reserve(info.name);
  }

  removeInput(name: string): void {
    this.#boundary.inputs.delete(name);
  }

  addOutput(info: ValueInfoProto): void {
    this.#boundary.addOutput(info);
  }

  removeOutput(name: string): void {
    this.#boundary.removeOutput(name);
  }

  /** A name that no value and no node of the model has or had; taken from now on. */
  uniqueName(prefix: string): string {
    return this.#context.names.unique(prefix);
  }

  /** Removes nodes whose results nobody reads and initializers without readers, here and in nested graphs. */
  pruneUnused(): PruneCounts {
    return pruneGraph(this);
  }

  /**
   * Puts nodes after what they read, nested graphs included, and otherwise in the order they were.
   *
   * @throws GraphError `cycle`, naming the nodes.
   */
  sort(): void {
    this.#list.reorder(topologicalOrder(this));
    for (const children of this.#children.values()) for (const child of children) child.sort();
  }

  /** The graph as a message of its own: later edits do not show in it. Tensor bytes are shared. */
  toProto(): GraphProto {
    const proto = copyMessage(this.#proto);
    proto.node = this.nodes.map((node) => {
      const children = [...(this.#children.get(node) ?? [])];
      return copyNode(node, () => (children.shift() as Graph).toProto());
    });
    this.#boundary.writeTo(proto);
    return proto;
  }

  #insert(node: NodeProto, position: NodePosition): NodeProto {
    const outputs = new Set<string>();
    for (const name of node.output) {
      if (name === "") continue;
      this.#refuseDuplicate(this.defines(name) || outputs.has(name), name, node);
      outputs.add(name);
      this.#context.names.reserve(name);
    }
    if (node.name !== "") this.#context.names.reserve(node.name);
    this.#list.insert(node, position);
    // One domain with two names: whoever reads a node meets the shorter one only.
    if (node.domain === "ai.onnx") node.domain = "";
    this.#index.addNode(node);
    const slots = graphSlots(node);
    if (slots.length > 0) {
      const title = node.name === "" ? `${node.opType}[${node.output[0] ?? ""}]` : node.name;
      this.#children.set(
        node,
        slots.map(({ attribute, index, graph }) => {
          const label = `${title}.${attribute}${index === undefined ? "" : `[${index}]`}`;
          return new Graph(graph, this.#context, { graph: this, node, label });
        }),
      );
    }
    return node;
  }

  #collectUses(name: string, found: Use[]): void {
    for (const { node, index } of this.#index.uses(name)) found.push({ node, index, graph: this });
    for (const children of this.#children.values()) {
      for (const child of children) if (!child.defines(name)) child.#collectUses(name, found);
    }
  }

  #root(): Graph {
    return this.parent === undefined ? this : this.parent.#root();
  }

  #own(node: NodeProto, operation: string): void {
    if (this.#list.has(node)) return;
    throw foreignNode(this.path, node, operation);
  }

  #refuseDuplicate(duplicate: boolean, name: string, node?: NodeProto): void {
    if (!duplicate) return;
    throw duplicateValue(this.path, name, node);
  }
}
