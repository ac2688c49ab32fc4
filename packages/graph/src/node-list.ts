import type { NodeProto } from "@nasty/formats/onnx";

interface Link {
  readonly node: NodeProto;
  previous: Link | undefined;
  next: Link | undefined;
}

/**
 * Nodes in order, with insertion and removal anywhere in O(1).
 *
 * `toArray` is a snapshot: a loop over it may edit the list it came from.
 */
export class NodeList {
  readonly #links = new Map<NodeProto, Link>();
  #first: Link | undefined;
  #last: Link | undefined;
  #snapshot: readonly NodeProto[] | undefined;

  get size(): number {
    return this.#links.size;
  }

  has(node: NodeProto): boolean {
    return this.#links.has(node);
  }

  /** Puts `node` before or after a neighbour in the list, at the end if neither is given. */
  insert(node: NodeProto, position: { readonly before?: NodeProto; readonly after?: NodeProto } = {}): void {
    const before = position.before === undefined ? undefined : this.#links.get(position.before);
    const after = position.after === undefined ? undefined : this.#links.get(position.after);
    const previous = before !== undefined ? before.previous : (after ?? this.#last);
    const next = before !== undefined ? before : after?.next;
    const link: Link = { node, previous, next };
    if (previous === undefined) this.#first = link;
    else previous.next = link;
    if (next === undefined) this.#last = link;
    else next.previous = link;
    this.#links.set(node, link);
    this.#snapshot = undefined;
  }

  remove(node: NodeProto): void {
    const link = this.#links.get(node);
    if (link === undefined) return;
    if (link.previous === undefined) this.#first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    this.#links.delete(node);
    this.#snapshot = undefined;
  }

  /** Puts the same nodes in another order. */
  reorder(nodes: readonly NodeProto[]): void {
    this.#links.clear();
    this.#first = undefined;
    this.#last = undefined;
    for (const node of nodes) this.insert(node);
  }

  toArray(): readonly NodeProto[] {
    if (this.#snapshot === undefined) {
      const nodes: NodeProto[] = [];
      for (let link = this.#first; link !== undefined; link = link.next) nodes.push(link.node);
      this.#snapshot = nodes;
    }
    return this.#snapshot;
  }
}
