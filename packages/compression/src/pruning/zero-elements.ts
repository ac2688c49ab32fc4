import type { ModelGraph } from "@nasty/graph";
import { CompressionError } from "../compression-error.js";
import { checkFinite, countNonZero } from "./masks.js";
import type { PlannedZeros, PruningReport } from "./plan.js";
import { replaceConstant } from "./slice.js";
import { keptAfter } from "./smallest-magnitudes.js";

export const mismatch = (where: string, expected: string, got: string): CompressionError =>
  new CompressionError("plan-mismatch", `pruner.apply: ${where}: expected ${expected}, got ${got}`);

/**
 * Makes the smallest elements of the planned weights zero, in the graph that is given.
 *
 * @throws CompressionError `plan-mismatch`, `not-finite` naming the tensor
 */
export function zeroElements(graph: ModelGraph, planned: readonly PlannedZeros[]): PruningReport["tensors"] {
  const graphs = new Map(graph.allGraphs().map((scope) => [scope.path, scope]));
  return planned.map(({ name, graph: path, op, elements, zeros }) => {
    const owner = graphs.get(path);
    const value = owner?.defines(name) === true ? owner.constant(name) : undefined;
    if (owner === undefined || value?.dtype !== "float32" || value.data.length !== elements) {
      throw mismatch(
        `tensor ${JSON.stringify(name)}`,
        `${elements} float32 elements`,
        String(value?.data.length ?? "none"),
      );
    }
    const data = Float32Array.from(value.data as Float32Array);
    checkFinite("pruner.apply", name, data);
    const kept = keptAfter(data, zeros);
    for (let i = 0; i < data.length; i++) {
      if (kept[i] === 0) {
        data[i] = 0;
      }
    }
    const node = owner.producer(name);
    replaceConstant({ graph: owner, name, constantNode: node }, { ...value, data });
    const total = elements - countNonZero(data);
    return { name, op, elements, zeros: total, sparsity: total / elements };
  });
}
