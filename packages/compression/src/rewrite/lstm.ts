import { tensor } from "@nasty/core";
import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  stringAttribute,
  stringsAttribute,
  type AttributeValue,
  type NodeProto,
} from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { ownConstant, type RewriteContext, type StoredWeight } from "./context.js";
import { transposeBytes } from "./transpose-matrix.js";

function attributesOf(node: NodeProto): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = {};
  const clip = floatAttribute(node, "clip");
  if (clip !== undefined) {
    attributes["clip"] = { kind: "float", value: clip };
  }
  for (const name of ["activation_alpha", "activation_beta"]) {
    const values = floatsAttribute(node, name);
    if (values !== undefined && values.length > 0) {
      attributes[name] = { kind: "floats", value: values };
    }
  }
  const activations = stringsAttribute(node, "activations");
  if (activations !== undefined && activations.length > 0) {
    attributes["activations"] = activations;
  }
  attributes["direction"] = stringAttribute(node, "direction", "forward");
  for (const name of ["hidden_size", "input_forget"]) {
    const value = intAttribute(node, name);
    if (value !== undefined) {
      attributes[name] = value;
    }
  }
  return attributes;
}

/** [directions, 4·hidden, inputs], the standard layout, becomes [directions, inputs, 4·hidden]. */
function kernelLayout(stored: StoredWeight): string {
  const [directions = 0, gates = 0, inputs = 0] = stored.planned.shape;
  return ownConstant(stored, "lstm", "q", () =>
    tensor(
      "int8",
      [directions, inputs, gates],
      transposeBytes(stored.weight.data as Int8Array, directions, gates, inputs),
    ),
  );
}

function groupShape(stored: StoredWeight): readonly number[] {
  const [directions = 0, gates = 0] = stored.planned.shape;
  return stored.planned.granularity.kind === "per-channel" ? [directions, gates] : [directions];
}

/** An LSTM whose weights are int8, [directions, inputs, 4·hidden], and whose activations are quantized step by step. */
export function rewriteLstm(
  context: RewriteContext,
  graph: Graph,
  node: NodeProto,
  [input, recurrent]: readonly [StoredWeight, StoredWeight],
): void {
  const outputs = [...node.output];
  for (const index of outputs.keys()) {
    graph.setOutput(node, index, "");
  }
  const domain = "com.microsoft";
  context.model.setOpset(domain, 1);
  const rest = [3, 4, 5, 6, 7].map((index) => node.input[index] ?? "");
  const parameters = [input, recurrent].flatMap((stored) => [
    ownConstant(stored, "lstm scale", "scale", () =>
      tensor("float32", groupShape(stored), stored.weight.scale),
    ),
    ownConstant(stored, "lstm zero point", "zp", () =>
      tensor("int8", groupShape(stored), Int8Array.from(stored.weight.zeroPoint)),
    ),
  ]);
  graph.addNode(
    {
      opType: "DynamicQuantizeLSTM",
      domain,
      name: node.name,
      inputs: [node.input[0] ?? "", kernelLayout(input), kernelLayout(recurrent), ...rest, ...parameters],
      outputs,
      attributes: attributesOf(node),
    },
    { before: node },
  );
  graph.removeNode(node);
}
