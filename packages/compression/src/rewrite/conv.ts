import { tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { resolveWeight, readWeight } from "../plan/resolve-weight.js";
import {
  dynamicInput,
  ownConstant,
  plainIntegers,
  type RewriteContext,
  type StoredWeight,
} from "./context.js";

const floatDataType = 1;

/**
 * `Cast(ConvInteger(q(x), W)) · (sx · sw) + bias`. The kernel takes unsigned weights only, and is not fast: it is there
 * for size.
 */
export function rewriteConv(
  context: RewriteContext,
  graph: Graph,
  node: NodeProto,
  stored: StoredWeight,
): void {
  const [activation = "", , bias = ""] = node.input;
  const output = node.output[0] ?? "";
  const rank = stored.planned.shape.length;
  const channels = [stored.planned.shape[0] ?? 0, ...Array.from({ length: rank - 2 }, () => 1)];
  const before = { before: node };
  graph.setOutput(node, 0, "");
  const input = dynamicInput(context, graph, activation, node);
  const zeroPoint = ownConstant(stored, "conv zero point", "zp", () =>
    tensor("uint8", [], Uint8Array.of(stored.weight.zeroPoint[0] ?? 0)),
  );
  const isPerChannel = stored.planned.granularity.kind === "per-channel";
  const scale = ownConstant(stored, "conv scale", "scale", () =>
    tensor("float32", isPerChannel ? channels : [], stored.weight.scale),
  );
  const names = ["i", "f", "s"].map((suffix) => graph.uniqueName(`${output}_${suffix}`));
  const [sum = "", real = "", factor = ""] = names;
  const inputs = [input.value, plainIntegers(stored), input.zeroPoint, zeroPoint];
  const integer = graph.addNode({ opType: "ConvInteger", name: node.name, inputs, outputs: [sum] }, before);
  integer.attribute = [...node.attribute];
  const to = { to: floatDataType };
  graph.addNode({ opType: "Cast", name: "", inputs: [sum], outputs: [real], attributes: to }, before);
  graph.addNode({ opType: "Mul", name: "", inputs: [input.scale, scale], outputs: [factor] }, before);
  const product = bias === "" ? output : graph.uniqueName(`${output}_p`);
  graph.addNode({ opType: "Mul", name: "", inputs: [real, factor], outputs: [product] }, before);
  if (bias !== "") {
    graph.addNode(
      { opType: "Add", name: "", inputs: [product, column(graph, bias, channels, node)], outputs: [output] },
      before,
    );
  }
  graph.removeNode(node);
}

function column(graph: Graph, bias: string, shape: readonly number[], before: NodeProto): string {
  const resolved = resolveWeight(graph, bias);
  if (resolved?.dtype === "float32" && !resolved.transposed) {
    return graph.addInitializer(
      `${bias}_column`,
      tensor("float32", shape, readWeight(resolved).data as Float32Array),
    );
  }
  const target = graph.addInitializer(
    `${bias}_shape`,
    tensor("int64", [shape.length], BigInt64Array.from(shape, BigInt)),
  );
  const reshaped = graph.uniqueName(`${bias}_column`);
  graph.addNode({ opType: "Reshape", name: "", inputs: [bias, target], outputs: [reshaped] }, { before });
  return reshaped;
}
