import type { ModelProto } from "@nasty/formats/onnx";
import { openForCompression } from "../files/open-for-compression.js";
import type { PlannedTensor } from "../plan/plan.js";

/**
 * The activation that a planned product multiplies, by the weight's name; weights that no product of the main graph
 * reads are left out.
 */
export function activationsOfWeights(
  model: ModelProto,
  tensors: readonly PlannedTensor[],
): Map<PlannedTensor, string> {
  const { main } = openForCompression(model);
  const found = new Map<PlannedTensor, string>();
  for (const planned of tensors) {
    for (const { op, output, graph } of planned.sites) {
      if ((op !== "MatMul" && op !== "Gemm") || graph !== main.path) continue;
      const node = main.producer(output);
      const input = node?.input[0];
      const isTransposed = node?.attribute.some(({ name, i }) => name === "transA" && i !== 0n) === true;
      if (input !== undefined && input !== "" && !isTransposed) found.set(planned, input);
    }
  }
  return found;
}
