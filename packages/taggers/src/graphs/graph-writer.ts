import { type AttributeValue, makeNode, type NodeProto, type TensorProto } from "@nasty/formats/onnx";

/** Collects the nodes and initializers of a graph in the order in which they are written. */
export interface GraphWriter {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  /** Adds a node named after its output, and returns the output. */
  op(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string;
  /** Adds an initializer, and returns its name. */
  add(tensor: TensorProto): string;
  /** Adds an initializer the first time that its name is asked for. */
  once(name: string, make: (name: string) => TensorProto): string;
}

export function makeGraphWriter(): GraphWriter {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const names = new Set<string>();
  return {
    nodes,
    initializers,
    op(opType, inputs, output, attributes) {
      nodes.push(makeNode(opType, inputs, [output], { name: output, ...(attributes && { attributes }) }));
      return output;
    },
    add(tensor) {
      initializers.push(tensor);
      return tensor.name;
    },
    once(name, make) {
      if (!names.has(name)) initializers.push(make(name));
      names.add(name);
      return name;
    },
  };
}
