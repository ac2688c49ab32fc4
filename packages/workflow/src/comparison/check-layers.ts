import { firstDeparture, isMisscaled, pairUnits } from "@nasty/compression";
import { readModelFile } from "@nasty/formats/onnx/node";
import { inputsOf } from "@nasty/taggers";
import type { CalibrationBatch } from "@nasty/calibration";
import type { Labelled } from "../kinds/kind.js";
import { ownKind } from "../kinds/find-kind.js";
import type { OpenSubject } from "../kinds/open-subject.js";

/**
 * Looks for a layer whose values have the direction of the original's and another size, as wrong scales give them: what
 * a normalization behind it hides from the outputs.
 *
 * @returns why the file is refused, naming the layer; undefined where there is none
 */
export async function checkLayers(
  first: OpenSubject,
  other: OpenSubject,
  samples: readonly Labelled[],
): Promise<string | undefined> {
  const [before, after] = [await readModelFile(first.modelPath), await readModelFile(other.modelPath)];
  const batch = await firstBatch(first, before, samples);
  const names = new Set(inputsOf(after).map(({ name }) => name));
  if (batch === undefined || !Object.keys(batch.feeds).every((name) => names.has(name))) return undefined;
  // Values less alike are the outputs' affair: rounding may do that to some.
  const options = { minCosine: -1, sizes: true };
  const plain = await firstDeparture(before, after, batch, options);
  const { model, layers } = plain === undefined ? pairUnits(before) : { model: before, layers: 0 };
  const found = plain ?? (layers === 0 ? undefined : await firstDeparture(model, after, batch, options));
  if (found === undefined || !isMisscaled(found)) return undefined;
  return `quantize eval: ${other.path}: layer ${found.node} (${found.op}): expected values of the original's size, got ${found.gain.toFixed(2)} times (cosine ${found.cosine.toFixed(3)}); the scales of its weights are wrong: quantize the model again`;
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
