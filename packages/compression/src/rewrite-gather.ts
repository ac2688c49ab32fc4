import { tensor } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { ownConstant, plainIntegers, scales, zeroPoints, type StoredWeight } from "./rewrite-context.js";

const floatDataType = 1;

/**
 * An embedding over an integer table: only the gathered rows become float.
 *
 * Per row, `Cast(Gather(q, i)) · Gather(s, i)`, and `+ Gather(−z·s, i)` where rows have zero points: DequantizeLinear takes no scale
 * that depends on the row. Per tensor, `DequantizeLinear(Gather(q, i))`, or Cast and Mul where the operator set has none.
 */
export function rewriteGather(graph: Graph, node: NodeProto, stored: StoredWeight, opset: number): void {
  const indices = node.input[1] ?? "";
  const output = node.output[0] ?? "";
  const before = { before: node };
  const axis = { axis: intAttribute(node, "axis", 0) };
  const rows = graph.uniqueName(`${output}_q`);
  graph.setOutput(node, 0, "");
  graph.addNode(
    { opType: "Gather", name: node.name, inputs: [plainIntegers(stored), indices], outputs: [rows], attributes: axis },
    before,
  );
  const isPerRow = stored.planned.granularity.kind === "per-channel";
  const zeroPoint = zeroPoints(stored);
  if (!isPerRow && (opset >= 10 || zeroPoint !== undefined)) {
    const inputs = [rows, scales(stored), zeroPoints(stored, true) ?? ""];
    graph.addNode({ opType: "DequantizeLinear", name: "", inputs, outputs: [output] }, before);
    graph.removeNode(node);
    return;
  }
  const column = (key: string, suffix: string, values: () => Float32Array): string =>
    ownConstant(stored, key, suffix, () => {
      const data = values();
      return tensor("float32", isPerRow ? [data.length, 1] : [], data);
    });
  const fetched = (name: string): string => {
    if (!isPerRow) {
      return name;
    }
    const values = graph.uniqueName(`${output}_r`);
    graph.addNode(
      { opType: "Gather", name: "", inputs: [name, indices], outputs: [values], attributes: { axis: 0 } },
      before,
    );
    return values;
  };
  const { scale, zeroPoint: zeros } = stored.weight;
  const real = graph.uniqueName(`${output}_f`);
  graph.addNode(
    { opType: "Cast", name: "", inputs: [rows], outputs: [real], attributes: { to: floatDataType } },
    before,
  );
  const scaled = zeroPoint === undefined ? output : graph.uniqueName(`${output}_m`);
  const factor = fetched(column("row scale", "row_scale", () => scale));
  graph.addNode({ opType: "Mul", name: "", inputs: [real, factor], outputs: [scaled] }, before);
  if (zeroPoint !== undefined) {
    const offsets = (): Float32Array => scale.map((s, row) => -s * (zeros[row] as number));
    const offset = fetched(column("row offset", "row_offset", offsets));
    graph.addNode({ opType: "Add", name: "", inputs: [scaled, offset], outputs: [output] }, before);
  }
  graph.removeNode(node);
}
