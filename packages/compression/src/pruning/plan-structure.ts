import type { ModelProto } from "@nasty/formats/onnx";
import { CompressionError } from "../compression-error.js";
import { graphCondition } from "../plan/graph-condition.js";
import { skippedBy } from "../plan/skipped-layers.js";
import { nodeLabel } from "../plan/weight-sites.js";
import type { Encoder } from "./encoder.js";
import type { AttentionBlock } from "./find-attention.js";
import type { FeedForwardBlock } from "./find-feed-forward.js";
import { findLayers } from "./find-layers.js";
import {
  firstOrderImportance,
  type ImportanceData,
  magnitudeImportance,
  type UnitRows,
} from "./importance.js";
import type { ChosenPruning } from "./options.js";
import type { NotPruned, PlannedHeads, PlannedLayer, PlannedNeurons } from "./plan.js";
import { selectUnits } from "./select-units.js";
import type { Projection } from "./trace.js";

export interface StructurePlan {
  readonly heads: readonly PlannedHeads[];
  readonly neurons: readonly PlannedNeurons[];
  readonly notPruned: readonly NotPruned[];
}

const namesOf = ({ matMul, weight }: Projection): string[] => [nodeLabel(matMul), weight.name];

const namesOfAttention = ({ projections, output }: AttentionBlock): string[] =>
  [...projections, output].flatMap(namesOf);

const namesOfFeedForward = ({ ups, down }: FeedForwardBlock): string[] => [...ups, down].flatMap(namesOf);

/** Chooses heads and neurons of an encoder. */
export async function planStructure(
  model: ModelProto,
  encoder: Encoder,
  chosen: ChosenPruning,
  data: ImportanceData | undefined,
): Promise<StructurePlan> {
  refuseWithout(encoder);
  const { attention, feedForward } = encoder;
  const skipped = skippedBy(
    [...attention.map(namesOfAttention), ...feedForward.map(namesOfFeedForward)].map((names) => ({ names })),
    chosen.skipLayers,
    "pruner.plan",
  );
  const notPruned: NotPruned[] = [...encoder.notPruned];
  const keepUnskipped = <T>(
    blocks: readonly T[],
    offset: number,
    op: string,
    label: (block: T) => string,
  ): T[] =>
    blocks.filter((block, index) => {
      const pattern = skipped[index + offset];
      if (pattern !== undefined) {
        notPruned.push({ name: label(block), op, reason: `skipped by pattern ${pattern}` });
      }
      return pattern === undefined;
    });
  const heads = keepUnskipped(attention, 0, "attention", ({ output }) => nodeLabel(output.matMul));
  const neurons = keepUnskipped(feedForward, attention.length, "feed-forward", ({ down }) =>
    nodeLabel(down.matMul),
  );
  const units: UnitRows[] = [
    ...heads.map(({ output, width, projections }) => ({
      reader: output,
      rowsPerUnit: width,
      makers: projections,
    })),
    ...neurons.map(({ down, ups }) => ({ reader: down, rowsPerUnit: 1, makers: ups })),
  ];
  const importance =
    data === undefined ? magnitudeImportance(units) : await firstOrderImportance(model, units, data);
  refuseNotFinite(units, importance);
  const ofHeads = importance.slice(0, heads.length);
  const ofNeurons = importance.slice(heads.length);
  const removedHeads = selectUnits(ofHeads, chosen.heads, chosen.scope);
  const removedNeurons = selectUnits(ofNeurons, chosen.neurons, chosen.scope);
  return {
    notPruned,
    heads: heads.map(({ output, heads: count, width }, index) => ({
      ...placeOf(output),
      heads: count,
      width,
      remove: removedHeads[index] ?? [],
      importance: Array.from(ofHeads[index] ?? []),
    })),
    neurons: neurons.map(({ down, neurons: count }, index) => ({
      ...placeOf(down),
      neurons: count,
      remove: removedNeurons[index] ?? [],
      lostImportance: shareOf(ofNeurons[index] ?? new Float64Array(), removedNeurons[index] ?? []),
    })),
  };
}

const placeOf = ({ matMul, weight }: Projection) => ({
  node: nodeLabel(matMul),
  output: matMul.output[0] ?? "",
  weight: weight.name,
});

function shareOf(importance: Float64Array, removed: readonly number[]): number {
  const total = importance.reduce((a, b) => a + b, 0);
  const lost = removed.reduce((sum, unit) => sum + (importance[unit] ?? 0), 0);
  return total === 0 ? 0 : lost / total;
}

function refuseNotFinite(units: readonly UnitRows[], importance: readonly Float64Array[]): void {
  for (const [index, figures] of importance.entries()) {
    const name = units[index]?.reader.weight.name ?? "";
    const unit = figures.findIndex((figure) => !Number.isFinite(figure));
    if (unit >= 0) {
      throw new CompressionError(
        "not-finite",
        `pruner.plan: tensor ${JSON.stringify(name)}: importance of unit ${unit}: expected a finite number, got ${figures[unit]}`,
        { tensor: name },
      );
    }
  }
}

function refuseWithout({ model, attention, feedForward, notPruned }: Encoder): void {
  if (attention.length + feedForward.length > 0) {
    return;
  }
  const { quantized, fused } = graphCondition(model.main);
  if (quantized.size > 0) {
    throw new CompressionError(
      "already-quantized",
      `pruner.plan: model: weights: expected float32 weights, got a model that is quantized already (${[...quantized.keys()].join(", ")}); prune first, then quantize`,
    );
  }
  const reasons = [...new Set(notPruned.map(({ op, reason }) => `${op}: ${reason}`))].slice(0, 3).join("; ");
  const why =
    fused.size > 0
      ? `the graph was optimized by a runtime before (${[...fused.keys()].join(", ")})`
      : reasons;
  throw new CompressionError(
    "unsupported",
    `pruner.plan: model: layers: expected attention or feed-forward layers, got none that can be pruned${why === "" ? "" : ` (${why})`}`,
  );
}

/** Chooses encoder layers to drop: those listed, or so many from the end. */
export function planLayers(encoder: Encoder, wanted: number | readonly number[]): PlannedLayer[] {
  const { typed, attention, feedForward } = encoder;
  const layers = findLayers(typed, attention, feedForward);
  if (layers === undefined || layers.length === 0) {
    throw new CompressionError(
      "unsupported",
      "pruner.plan: layers: model: expected encoder layers on one residual stream, got a graph without them",
    );
  }
  const count = layers.length;
  const numbers =
    typeof wanted === "number"
      ? Array.from({ length: wanted }, (_, index) => count - wanted + index)
      : wanted;
  const chosen = [...new Set(numbers)].sort((a, b) => a - b);
  const wrong = chosen.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= count);
  if (wrong !== undefined || chosen.length >= count) {
    const got = typeof wanted === "number" ? String(wanted) : `[${wanted.join(", ")}]`;
    throw new CompressionError(
      "invalid-option",
      `pruner.plan: layers: expected at most ${count - 1} of the layers 0 to ${count - 1}, got ${got}`,
    );
  }
  return chosen.map((layer) => ({ layer, ...(layers[layer] as { from: string; to: string }) }));
}
