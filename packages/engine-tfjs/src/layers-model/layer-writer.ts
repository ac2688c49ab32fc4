import { type Attributes, type Graph, graphWriter } from "@nasty/graph";
import type { ValueInfoProto } from "@nasty/formats/onnx";
import type { Value } from "./value.js";

/** Writes what layers are made of. */
export interface LayerWriter {
  /**
   * Adds a node named `NAME/OP`, and returns its output.
   *
   * @param result which result of the operator that is, from 0; those before it are left out
   */
  op(
    name: string,
    opType: string,
    inputs: readonly string[],
    attributes?: Attributes,
    result?: number,
  ): string;
  /** Adds a float32 weight once; a later call with the same name is the same weight. */
  weight(name: string, shape: readonly number[], values: () => Float32Array): string;
  /** int64 numbers that belong to the form of the graph. */
  ints(...values: readonly number[]): string;
  scalar(dtype: "float32" | "int32", value: number): string;
  /** The value in another layout, transposed once. */
  inLayout(value: Value, layout: Value["layout"]): string;
}

/** A writer that appends to a graph which has its inputs. */
export function layerWriter(graph: Graph): LayerWriter {
  const { unique, constant, initializer } = graphWriter(graph);
  const turned = new Map<string, string>();
  const op: LayerWriter["op"] = (name, opType, inputs, attributes = {}, result = 0) => {
    const output = unique(`${name}/${opType}`);
    const outputs = [...Array<string>(result).fill(""), output];
    graph.addNode({ opType, name: output, inputs, outputs, attributes });
    return output;
  };
  return {
    op,
    weight: (name, shape, values) => initializer(name, () => ({ dtype: "float32", shape, data: values() })),
    ints: (...values) => constant("int64", [values.length], values, `ints/${values.join(",")}`),
    scalar: (dtype, value) => constant(dtype, [], [value], `${dtype}/${value}`),
    inLayout({ name, layout, shape }, wanted) {
      if (layout === wanted || shape.length < 2) return name;
      const known = turned.get(name);
      if (known !== undefined) return known;
      const perm = shape.map((_, axis) => (axis === 0 ? 1 : axis === 1 ? 0 : axis));
      const other = op(name, "Transpose", [name], { perm });
      turned.set(name, other);
      turned.set(other, name);
      return other;
    },
  };
}

/** Makes values the outputs of a graph, under the names of their descriptions; what leads to no output is left out. */
export function giveOutputs(
  graph: Graph,
  outputs: readonly { readonly value: string; readonly info: ValueInfoProto }[],
): void {
  const renamed = new Map<string, string>();
  for (const { value, info } of outputs) {
    const node = graph.producer(value);
    if (value === info.name) {
      graph.addOutput(info); // an input that is an output
      continue;
    }
    if (node === undefined) {
      // An input under another name, or one value under two.
      const inputs = [renamed.get(value) ?? value];
      graph.addNode({ opType: "Identity", name: info.name, inputs, outputs: [info.name] });
    } else {
      graph.setOutput(node, node.output.indexOf(value), info.name);
      graph.replaceUses(value, info.name);
      renamed.set(value, info.name);
    }
    graph.addOutput(info);
  }
  graph.pruneUnused();
}
