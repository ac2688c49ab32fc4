import type { CalibrationBatch } from "@nasty/calibration";
import { collapsedLayer, firstDeparture, layerNoise, type LayerNoise, pairUnits } from "@nasty/compression";
import { decibels } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { RuntimeError } from "@nasty/runtime";
import type { Engine } from "./engine.js";
import type { FirstDifference } from "./first-difference.js";
import type { BrokenLayer } from "./verification-result.js";

export interface LayerCheck {
  readonly original: ModelProto;
  readonly model: ModelProto;
  /** What runs the file. */
  readonly engine: Engine;
  readonly batch: CalibrationBatch;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The first layer whose signal sinks into noise; undefined if none does, or values cannot be looked at.
 *
 * Quantizing puts hidden units into another order where that makes pairs of weights safe: values in the middle are then
 * those of the original in that order. Each order is tried, and the one that explains more holds.
 */
export async function brokenLayer(check: LayerCheck): Promise<LayerNoise | undefined> {
  const plain = await collapsed(check.original, check);
  if (plain === undefined) return undefined;
  const { model: paired, layers } = pairUnits(check.original);
  if (layers === 0) return plain;
  const inPairs = await collapsed(paired, check);
  if (inPairs === undefined) return undefined;
  // In the wrong order values depart where the order does: not later than in the right one, and not less.
  const later = position(paired, inPairs) - position(paired, plain);
  return later > 0 || (later === 0 && inPairs.noise < plain.noise) ? inPairs : plain;
}

const position = ({ graph }: ModelProto, { value }: LayerNoise): number =>
  graph?.node.findIndex(({ output }) => output.includes(value)) ?? -1;

async function collapsed(
  original: ModelProto,
  { model, engine, batch, threads, signal }: LayerCheck,
): Promise<LayerNoise | undefined> {
  const open = (observed: ModelProto) => engine.open(observed, { threads });
  try {
    return collapsedLayer(await layerNoise(original, model, batch, { open, threads, signal }));
  } catch (error) {
    if (error instanceof RuntimeError) return undefined;
    throw error;
  }
}

/** A layer as the result has it. */
export function brokenLayerOf({
  node,
  op,
  weights,
  value,
  noise,
  noiseBefore,
  mostNoise,
}: LayerNoise): BrokenLayer {
  const finite = (ratio: number): number | null => (Number.isFinite(ratio) ? ratio : null);
  return {
    node,
    operator: op,
    weights,
    output: value,
    sqnrDb: finite(decibels(1, noise)),
    minSqnrDb: decibels(1, mostNoise),
    inputSqnrDb: finite(decibels(1, noiseBefore)),
  };
}

/** The layer as the place where values depart from the original's. */
export function differenceOf({ node, op, value, noise }: LayerNoise): FirstDifference {
  const error = Math.sqrt(noise);
  return {
    node,
    operator: op,
    output: value,
    error: Number.isFinite(error) ? error : null,
    from: "original",
  };
}

/** The first value in the middle that is less alike than it may be, where no layer of weights is at fault. */
export async function firstUnlike(
  { original, model, batch, threads }: LayerCheck,
  minCosine: number,
): Promise<FirstDifference | undefined> {
  const found = await firstDeparture(original, model, batch, { minCosine, threads });
  if (found === undefined) return undefined;
  return { node: found.node, operator: found.op, output: found.value, error: null, from: "original" };
}
