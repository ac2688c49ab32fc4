import {
  FormatError,
  intAttribute,
  intsAttribute,
  type NodeProto,
  stringAttribute,
  tensorAttribute,
} from "@nasty/formats/onnx";
import type { Tensor } from "@nasty/core";
import { tensorOf } from "../constant-value.js";
import type { Graph } from "../graph.js";
import type { ListArgument, PartialType, RuleContext, SizeValue } from "./rule.js";

/** Where a node's context takes what is known about values from. */
export interface KnownValues {
  readonly opset: number;
  type(graph: Graph, name: string): PartialType | undefined;
  sizes(graph: Graph, name: string): SizeValue | undefined;
  body(graph: Graph, inputs: readonly (PartialType | undefined)[]): readonly PartialType[];
}

/** What a rule may ask about one node. */
export function nodeContext(graph: Graph, node: NodeProto, known: KnownValues): RuleContext {
  const input = (index: number): string => node.input[index] ?? "";
  const type = (index: number): PartialType | undefined =>
    input(index) === "" ? undefined : known.type(graph, input(index));
  const sizes = (index: number): SizeValue | undefined =>
    input(index) === "" ? undefined : known.sizes(graph, input(index));
  const constant = (index: number): Tensor | undefined =>
    input(index) === "" ? undefined : graph.constant(input(index));

  function int(name: string): number | undefined;
  function int(name: string, fallback: number): number;
  function int(name: string, fallback?: number): number | undefined {
    return intAttribute(node, name) ?? fallback;
  }

  return {
    node,
    opset: known.opset,
    inputCount: node.input.length,
    outputCount: node.output.length,
    has: (index) => input(index) !== "",
    dtype: (index) => type(index)?.dtype,
    shape: (index) => type(index)?.shape,
    sizes,
    constant,
    int,
    ints: (name) => intsAttribute(node, name),
    string: (name, fallback) => stringAttribute(node, name, fallback),
    tensor: (name) => {
      const proto = tensorAttribute(node, name);
      return proto === undefined ? undefined : tensorOf(proto);
    },
    list: (name, index): ListArgument => {
      const attribute = intsAttribute(node, name);
      if (attribute !== undefined) return attribute;
      if (input(index) === "") return "absent";
      const elements = sizes(index)?.elements;
      return elements?.every((element) => typeof element === "number") === true ? elements : "unknown";
    },
    body: (attribute, inputs) => {
      const slots = node.attribute.filter(({ g }) => g !== undefined).map(({ name }) => name);
      const child = graph.subgraphs(node)[slots.indexOf(attribute)];
      return child === undefined ? undefined : known.body(child, inputs);
    },
  };
}

/** Runs a rule; attributes of the wrong type are a fault of the model, about which nothing is then inferred. */
export function attempt<T>(rule: () => T): T | undefined {
  try {
    return rule();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
