import { tensor } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { ownConstant, plainIntegers, type StoredWeight } from "./context.js";

const floatDataType = 1;

/**
 * An embedding over an integer table: `Cast(Gather(q, i)) · s (+ −z·s)`, so that only the gathered rows become float.
 *
 * Cast and Mul, not DequantizeLinear: on few rows the runtime's DequantizeLinear with an axis takes longer than the two
 * together, and it takes no scale that depends on the row. Where each row has its own scale (a table tied to an output
 * layer), s and z·s are gathered too.
 */
export function rewriteGather(graph: Graph, node: NodeProto, stored: StoredWeight): void {
  const output = node.output[0] ?? "";
  const before = { before: node };
  const { granularity } = stored.planned;
  const isPerRow = granularity.kind === "per-channel" && granularity.axis === 0;
  const constant = (suffix: string, values: Float32Array): string => {
    const shape = granularity.kind === "per-tensor" ? [] : isPerRow ? [values.length, 1] : [values.length];
    const name = ownConstant(stored, `rows ${suffix}`, suffix, () => tensor("float32", shape, values));
    return isPerRow ? gathered(graph, node, name, `${output}_r`) : name;
  };
  const { scale, zeroPoint } = stored.weight;
  const isShifted = zeroPoint.some((value) => value !== 0);
  graph.setOutput(node, 0, "");
  const rows = gathered(graph, node, plainIntegers(stored), `${output}_q`, node.name);
  const real = graph.uniqueName(`${output}_f`);
  const scaled = isShifted ? graph.uniqueName(`${output}_m`) : output;
  const to = { to: floatDataType };
  graph.addNode({ opType: "Cast", name: "", inputs: [rows], outputs: [real], attributes: to }, before);
  const factor = constant("row_scale", scale);
  graph.addNode({ opType: "Mul", name: "", inputs: [real, factor], outputs: [scaled] }, before);
  if (isShifted) {
    const offsets = scale.map((s, group) => -s * (zeroPoint[group] as number));
    const offset = constant("row_offset", offsets);
    graph.addNode({ opType: "Add", name: "", inputs: [scaled, offset], outputs: [output] }, before);
  }
  graph.removeNode(node);
}

function gathered(graph: Graph, node: NodeProto, table: string, prefix: string, name = ""): string {
  const output = graph.uniqueName(prefix);
  const attributes = { axis: intAttribute(node, "axis", 0) };
  const inputs = [table, node.input[1] ?? ""];
  graph.addNode({ opType: "Gather", name, inputs, outputs: [output], attributes }, { before: node });
  return output;
}
