import type { NodeProto } from "@nasty/formats/onnx";

/** One place where a value is read. */
export interface LocalUse {
  readonly node: NodeProto;
  /** Which input of the node, from 0. */
  readonly index: number;
}

/**
 * Who makes and who reads each value in one graph, kept up to date node by node.
 *
 * Every change costs the nodes' own inputs and outputs, never the size of the graph.
 */
export class ValueIndex {
  readonly #producers = new Map<string, NodeProto>();
  readonly #uses = new Map<string, Set<LocalUse>>();
  readonly #slots = new Map<NodeProto, (LocalUse | undefined)[]>();

  producer(name: string): NodeProto | undefined {
    return this.#producers.get(name);
  }

  uses(name: string): Iterable<LocalUse> {
    return this.#uses.get(name) ?? [];
  }

  /** All names read by nodes of this graph, wherever they are defined. */
  readNames(): IterableIterator<string> {
    return this.#uses.keys();
  }

  addNode(node: NodeProto): void {
    for (const name of node.output) if (name !== "") this.#producers.set(name, node);
    const slots: (LocalUse | undefined)[] = [];
    this.#slots.set(node, slots);
    for (const [index, name] of node.input.entries()) this.#link(slots, node, index, name);
  }

  removeNode(node: NodeProto): void {
    for (const name of node.output) if (this.#producers.get(name) === node) this.#producers.delete(name);
    const slots = this.#slots.get(node) ?? [];
    for (const [index, use] of slots.entries()) this.#unlink(use, node.input[index]);
    this.#slots.delete(node);
  }

  /** Records that input `index` reads `to` from now on; the node itself is changed by the caller. */
  moveUse(node: NodeProto, index: number, from: string, to: string): void {
    const slots = this.#slots.get(node);
    if (slots === undefined) return;
    this.#unlink(slots[index], from);
    this.#link(slots, node, index, to);
  }

  /** Records that an output goes by another name from now on. */
  moveProducer(node: NodeProto, from: string, to: string): void {
    if (this.#producers.get(from) === node) this.#producers.delete(from);
    if (to !== "") this.#producers.set(to, node);
  }

  #link(slots: (LocalUse | undefined)[], node: NodeProto, index: number, name: string): void {
    if (name === "") {
      slots[index] = undefined;
      return;
    }
    const use: LocalUse = { node, index };
    slots[index] = use;
    const uses = this.#uses.get(name);
    if (uses === undefined) this.#uses.set(name, new Set([use]));
    else uses.add(use);
  }

  #unlink(use: LocalUse | undefined, name: string | undefined): void {
    if (use === undefined || name === undefined) return;
    const uses = this.#uses.get(name);
    if (uses === undefined) return;
    uses.delete(use);
    if (uses.size === 0) this.#uses.delete(name);
  }
}
