import type { CalibrationBatch } from "@nasty/calibration";
import { firstDeparture, isMisscaled, pairUnits } from "@nasty/compression";
import { readModelFile } from "@nasty/formats/onnx/node";
import { inputsOf } from "@nasty/taggers";
import { ownKind } from "../kinds/find-kind.js";
import type { Labelled } from "../kinds/kind.js";
import type { OpenSubject } from "../kinds/open-subject.js";
import { brokenLayer, brokenLayerOf, brokenLayerText } from "../verification/broken-layer.js";
import { originalEngine } from "../verification/engine.js";

/**
 * Looks for values that have the direction of the original's and are larger, as wrong scales make them and a
 * normalization behind them hides from the outputs; the layer whose signal sinks into noise is the one at fault.
 * Ranges that clip make values smaller, and noise too: that is no fault of a file.
 *
 * @returns why the file is refused, naming the layer; undefined where there is none
 */
export async function checkLayers(
  first: OpenSubject,
  other: OpenSubject,
  samples: readonly Labelled[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const [original, model] = [await readModelFile(first.modelPath), await readModelFile(other.modelPath)];
  const batch = await firstBatch(first, original, samples);
  const names = new Set(inputsOf(model).map(({ name }) => name));
  if (batch === undefined || !Object.keys(batch.feeds).every((name) => names.has(name))) return undefined;
  // Values less alike are the outputs' affair: rounding may do that to some.
  const options = { minCosine: -1, sizes: true };
  const plain = await firstDeparture(original, model, batch, options);
  const paired = plain === undefined ? pairUnits(original) : { model: original, layers: 0 };
  const found = paired.layers === 0 ? plain : await firstDeparture(paired.model, model, batch, options);
  if (found === undefined || !isMisscaled(found)) return undefined;
  const run = { engine: originalEngine, batch, mayClip: true, threads: 1, signal };
  const layer = await brokenLayer({ original, model, ...run });
  const what =
    layer === undefined
      ? `layer ${found.node} (${found.op}): expected values of the original's size, got ${found.gain.toFixed(2)} times (cosine ${found.cosine.toFixed(3)}); quantize the original again`
      : brokenLayerText(brokenLayerOf(layer));
  return `quantize eval: ${other.path}: ${what}`;
}

async function firstBatch(
  { reading, opened, text }: OpenSubject,
  model: Awaited<ReturnType<typeof readModelFile>>,
  samples: readonly Labelled[],
): Promise<CalibrationBatch | undefined> {
  const kind = ownKind({ model, tagger: opened?.settings, text });
  const [sample] = samples;
  if (sample === undefined) return undefined;
  const feeds = kind.feedsOf([reading.sampleOf(sample)]);
  for await (const batch of feeds) return batch;
  return undefined;
}
