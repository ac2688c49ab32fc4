import { tensor } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { ownConstant, plainIntegers, scales, zeroPoints, type StoredWeight } from "./rewrite-context.js";

const floatDataType = 1;

/** Which values of a gathered row share a scale. */
type Sharing = "all" | "columns" | "rows";

function sharingOf({ planned: { granularity } }: StoredWeight): Sharing {
  if (granularity.kind === "per-tensor") {
    return "all";
  }
  return granularity.axis === 0 ? "rows" : "columns";
}

/** DequantizeLinear came with opset 10, its axis with 13; it takes no scale that depends on the row. */
function hasOperator(sharing: Sharing, opset: number): boolean {
  return (sharing === "all" && opset >= 10) || (sharing === "columns" && opset >= 13);
}

/**
 * An embedding over an integer table: only the gathered rows become float.
 *
 * `DequantizeLinear(Gather(q, i))` where the operator exists; else `Cast(Gather(q, i)) · s (+ −z·s)`, with s and z gathered too when
 * each row has its own.
 */
export function rewriteGather(graph: Graph, node: NodeProto, stored: StoredWeight, opset: number): void {
  const indices = node.input[1] ?? "";
  const output = node.output[0] ?? "";
  const before = { before: node };
  const sharing = sharingOf(stored);
  const rows = graph.uniqueName(`${output}_q`);
  graph.setOutput(node, 0, "");
  graph.addNode(
    {
      opType: "Gather",
      name: node.name,
      inputs: [plainIntegers(stored), indices],
      outputs: [rows],
      attributes: { axis: intAttribute(node, "axis", 0) },
    },
    before,
  );
  if (hasOperator(sharing, opset)) {
    const inputs = [rows, scales(stored), zeroPoints(stored, true) ?? ""];
    const attributes = sharing === "columns" ? { axis: -1 } : {};
    graph.addNode({ opType: "DequantizeLinear", name: "", inputs, outputs: [output], attributes }, before);
  } else {
    scaleRows(graph, node, stored, { sharing, indices, rows, output });
  }
  graph.removeNode(node);
}

interface GatheredRows {
  readonly sharing: Sharing;
  readonly indices: string;
  readonly rows: string;
  readonly output: string;
}

function scaleRows(
  graph: Graph,
  node: NodeProto,
  stored: StoredWeight,
  { sharing, indices, rows, output }: GatheredRows,
): void {
  const before = { before: node };
  const fitting = (suffix: string, values: Float32Array): string => {
    const shape = sharing === "all" ? [] : sharing === "rows" ? [values.length, 1] : [values.length];
    const name = ownConstant(stored, `rows ${suffix}`, suffix, () => tensor("float32", shape, values));
    if (sharing !== "rows") {
      return name;
    }
    const fetched = graph.uniqueName(`${output}_r`);
    const inputs = [name, indices];
    graph.addNode({ opType: "Gather", name: "", inputs, outputs: [fetched], attributes: { axis: 0 } }, before);
    return fetched;
  };
  const { scale, zeroPoint } = stored.weight;
  const isShifted = zeroPoint.some((value) => value !== 0);
  const real = graph.uniqueName(`${output}_f`);
  const scaled = isShifted ? graph.uniqueName(`${output}_m`) : output;
  const to = { to: floatDataType };
  graph.addNode({ opType: "Cast", name: "", inputs: [rows], outputs: [real], attributes: to }, before);
  const factor = fitting("row_scale", scale);
  graph.addNode({ opType: "Mul", name: "", inputs: [real, factor], outputs: [scaled] }, before);
  if (isShifted) {
    const offset = fitting(
      "row_offset",
      scale.map((s, group) => -s * (zeroPoint[group] as number)),
    );
    graph.addNode({ opType: "Add", name: "", inputs: [scaled, offset], outputs: [output] }, before);
  }
}
