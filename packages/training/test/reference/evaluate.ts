import type { Tensor } from "@nasty/core";
import { type ModelProto, tensorFromProto } from "@nasty/formats/onnx";
import { nd, type Nd } from "./array.js";
import { operators } from "./operators.js";

export const fromTensor = ({ shape, data }: Tensor): Nd =>
  nd(shape, Array.from(data as Iterable<number | bigint>, Number));

/** Runs a model in float64, node by node; `values` overrides inputs and initializers. */
export function evaluate(model: ModelProto, values: ReadonlyMap<string, Nd>): Map<string, Nd> {
  const graph = model.graph;
  const known = new Map<string, Nd>();
  for (const tensor of graph?.initializer ?? []) known.set(tensor.name, fromTensor(tensorFromProto(tensor)));
  for (const [name, value] of values) known.set(name, value);
  for (const node of graph?.node ?? []) {
    const operator = operators[node.opType];
    if (operator === undefined) throw new Error(`the reference has no ${node.opType}`);
    const outputs = operator(
      node,
      node.input.map((name) => known.get(name)),
    );
    for (const [i, name] of node.output.entries()) if (name !== "") known.set(name, outputs[i] as Nd);
  }
  return known;
}
