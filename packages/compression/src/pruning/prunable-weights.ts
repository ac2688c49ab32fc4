import { elementCount } from "@nasty/core";
import type { Graph, ModelGraph } from "@nasty/graph";
import type { QuantizableOp } from "../plan/plan.js";
import { readWeight } from "../plan/resolve-weight.js";
import { findWeightSites, nodeLabel } from "../plan/weight-sites.js";
import type { NotPruned } from "./plan.js";

/** A weight that single elements can be pruned of. */
export interface PrunableWeight {
  readonly name: string;
  readonly owner: Graph;
  /** Operator of the first node that reads it. */
  readonly op: QuantizableOp;
  readonly shape: readonly number[];
  readonly elements: number;
  /** Names that patterns may match: the weight's and those of the nodes that read it. */
  readonly names: readonly string[];
  values(): Float32Array;
}

/**
 * Every float32 weight of matrix products, convolutions, recurrences and embeddings, subgraphs included; shared ones
 * once.
 */
export function prunableWeights(model: ModelGraph): {
  readonly weights: readonly PrunableWeight[];
  readonly notPruned: readonly NotPruned[];
} {
  const { sites, keptInFloat } = findWeightSites(model);
  const found = new Map<string, PrunableWeight & { readonly names: string[] }>();
  for (const { node, op, weights } of sites) {
    for (const { name, owner, shape } of weights) {
      const key = `${owner.path}\0${name}`;
      const known = found.get(key);
      if (known !== undefined) {
        known.names.push(nodeLabel(node));
        continue;
      }
      found.set(key, {
        name,
        owner,
        op,
        shape,
        elements: elementCount(shape),
        names: [name, nodeLabel(node)],
        values: () => readWeight({ owner, name }).data as Float32Array,
      });
    }
  }
  return {
    weights: [...found.values()],
    notPruned: keptInFloat.map(({ name, op, reason }) => ({
      name,
      op,
      reason: reason
        .replace(/, the int8 kernels? takes? .*$/, "")
        .replace(/^no int8 kernel for/, "no rule for"),
    })),
  };
}
