import { type Batches, takeBatches } from "@nasty/calibration";
import { clippedRanges, hasHalfScales, type Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { gramMatrices } from "../activations/gram-matrices.js";
import { activationsOfWeights } from "../activations/activations-of-weights.js";
import { requireBatches, type RunOptions } from "../activations/visit-vectors.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { PlannedTensor, QuantizationPlan } from "../plan/plan.js";
import { readWeight } from "../plan/resolve-weight.js";
import type { QuantizedWeight, WeightQuantizer } from "../rewrite/weight-quantizer.js";
import { blockLayout, channelRows } from "./block-layout.js";
import { blockRounding } from "./block-rounding.js";
import { checkFinite } from "./check-finite.js";
import { compensateRows } from "./compensate-rows.js";
import { compensationFactor } from "./compensation-factor.js";

/** What error compensation runs on. */
export interface CompensationOptions extends RunOptions {
  readonly calibrationData?: Batches;
  /** Sequences that are used. Default 128. */
  readonly limit?: number;
  /** Share of the mean second moment that is added to each. Default 0.01. */
  readonly damping?: number;
  /** Bytes of second moments that are held at once; the samples are run once for each such group. Default 512 MB. */
  readonly budgetBytes?: number;
}

interface Work {
  readonly planned: PlannedTensor;
  readonly width: number;
}

/** Activations with the weights they multiply, cut into groups whose second moments fit the budget. */
function workGroups(
  model: ModelProto,
  plan: QuantizationPlan,
  budgetBytes: number,
): ReadonlyMap<string, readonly Work[]>[] {
  const blocked = plan.tensors.filter((planned) => blockLayout(planned) !== undefined);
  const works = new Map<string, Work[]>();
  for (const [planned, activation] of activationsOfWeights(model, blocked)) {
    const width = blockLayout(planned)?.length ?? 0;
    works.set(activation, [...(works.get(activation) ?? []), { planned, width }]);
  }
  const groups: Map<string, readonly Work[]>[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [activation, work] of works) {
    const width = work[0]?.width ?? 0;
    const needed = 8 * width * width;
    if (bytes + needed > budgetBytes) {
      groups.push(new Map());
      bytes = 0;
    }
    groups.at(-1)?.set(activation, work);
    bytes += needed;
  }
  return groups;
}

/**
 * A quantizer whose products make up for rounding errors, by the second moments of their inputs over calibration data.
 *
 * Embeddings, and products inside subgraphs, are rounded with clipped ranges: nothing says how their errors meet.
 *
 * @throws CompressionError `no-calibration-data`, `not-finite`
 */
export async function compensatedQuantizer(
  model: ModelProto,
  plan: QuantizationPlan,
  {
    calibrationData,
    limit = 128,
    damping = 0.01,
    budgetBytes = 512e6,
    threads,
    signal,
    onProgress,
  }: CompensationOptions,
): Promise<WeightQuantizer> {
  const operation = `${plan.mode}.apply`;
  const batches = await takeBatches(requireBatches(operation, calibrationData), limit);
  requireBatches(operation, batches.length === 0 ? undefined : batches);
  const done = new Map<PlannedTensor, QuantizedWeight>();
  const graphs = new Map(
    openForCompression(model)
      .allGraphs()
      .map((graph) => [graph.path, graph]),
  );
  const run: RunOptions = {
    ...(threads !== undefined && { threads }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  };
  for (const group of workGroups(model, plan, budgetBytes)) {
    const grams = await gramMatrices(model, [...group.keys()], batches, run);
    for (const [activation, works] of group) {
      const gram = grams.get(activation);
      if (gram === undefined) continue;
      const factor = compensationFactor(gram, works[0]?.width ?? 0, damping);
      grams.delete(activation);
      for (const { planned } of works) {
        const owner = graphs.get(planned.graph);
        if (owner !== undefined) done.set(planned, compensated(planned, owner, factor));
      }
    }
  }
  const others = blockRounding("mse");
  return (planned, ...rest) => done.get(planned) ?? others(planned, ...rest);
}

function compensated(
  planned: PlannedTensor,
  owner: Parameters<typeof readWeight>[0]["owner"],
  factor: Float64Array,
): QuantizedWeight {
  const layout = blockLayout(planned);
  if (layout === undefined) {
    throw new TypeError(`gptq: ${planned.name} is not quantized in blocks`);
  }
  const weight = readWeight({ owner, name: planned.name }) as Tensor<"float32">;
  checkFinite(planned.name, weight.data);
  const halfScales = hasHalfScales(layout.channels, layout.blocks);
  const scheme = { ...layout, symmetric: planned.symmetric, halfScales, shrink: clippedRanges };
  return compensateRows(channelRows(weight, layout), factor, scheme);
}
