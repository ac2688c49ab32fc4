import type { ModelProto } from "@nasty/formats/onnx";
import { describeGraph } from "@nasty/graph";

const names: Readonly<Record<string, string>> = {
  float32: "Float32",
  float16: "Float16",
  bfloat16: "BFloat16",
  float64: "Float64",
  int8: "INT8",
  uint8: "INT8",
  int4: "INT4",
  uint4: "INT4",
};

/** Operators whose weights are stored in bytes that hold two numbers each. */
const packedOps = new Set(["MatMulNBits", "GatherBlockQuantized"]);

/** What most of a model's weights are stored as, by count: `Float32`, `INT8`, `INT4`, … */
export function precisionOfModel(model: ModelProto): string {
  const { precisions, ops } = describeGraph(model);
  const isPacked = ops.some(({ op }) => packedOps.has(op));
  const elements = new Map<string, number>();
  for (const share of precisions) {
    const name = names[share.dtype];
    if (name === undefined) continue;
    const stored = isPacked && share.dtype === "uint8" ? "INT4" : name;
    elements.set(stored, (elements.get(stored) ?? 0) + share.elements * (stored === name ? 1 : 2));
  }
  return [...elements].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "Float32";
}
