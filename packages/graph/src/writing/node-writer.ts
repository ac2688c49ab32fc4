import type { AttributeValue } from "@nasty/formats/onnx";
import type { NodeFields } from "../node-fields.js";

/** Attributes of a node by name; undefined ones are left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** As many names as N says, or any number where N is not known. */
export type Names<N extends number, T extends readonly string[] = readonly []> = number extends N
  ? readonly string[]
  : T["length"] extends N
    ? T
    : Names<N, readonly [...T, string]>;

/** Where nodes go: a `Graph`, or the list of nodes of a body that is not in a graph yet. */
export interface NodeTarget {
  /** A name that nothing has, taken from then on. */
  uniqueName(prefix: string): string;
  addNode(node: NodeFields): unknown;
}

/** Adds nodes one after the other; each is named after its first output. */
export interface NodeWriter {
  /** A free name: the writer's prefix and `name`, with a number if that is taken. */
  unique(name: string): string;
  /** Adds a node with one output and returns the output's name, a free one made of the operator's. */
  op(opType: string, inputs: readonly string[], attributes?: Attributes): string;
  /** Adds a node with several outputs and returns their names. */
  ops<N extends number>(
    opType: string,
    inputs: readonly string[],
    count: N,
    attributes?: Attributes,
  ): Names<N>;
  /** Adds a node whose output has exactly this name, and returns it. */
  named(output: string, opType: string, inputs: readonly string[], attributes?: Attributes): string;
}

/** A writer of nodes whose names begin with `prefix`, which tells who wrote them in profiles and error messages. */
export function nodeWriter(target: NodeTarget, prefix = ""): NodeWriter {
  const unique = (name: string): string => target.uniqueName(`${prefix}${name}`);
  const add = (
    outputs: readonly [string, ...string[]],
    opType: string,
    inputs: readonly string[],
    attributes: Attributes,
  ): void => {
    target.addNode({ opType, name: outputs[0], inputs, outputs, attributes });
  };
  const named: NodeWriter["named"] = (output, opType, inputs, attributes = {}) => {
    add([output], opType, inputs, attributes);
    return output;
  };
  return {
    unique,
    named,
    op: (opType, inputs, attributes) => named(unique(opType), opType, inputs, attributes),
    ops<N extends number>(
      opType: string,
      inputs: readonly string[],
      count: N,
      attributes: Attributes = {},
    ): Names<N> {
      const outputs = [unique(opType), ...Array.from({ length: count - 1 }, () => unique(opType))] as const;
      add([...outputs], opType, inputs, attributes);
      return outputs as readonly string[] as Names<N>;
    },
  };
}
