import { type Saturation, saturation } from "@nasty/compression";
import { spread } from "../texts/spread.js";
import { encodedBatches, type FedModel } from "./calibration-batches.js";
import type { ReadCalibration } from "./calibration-text.js";
import { type Planned } from "./planned.js";
import { modeOf, type QuantizeSettings } from "./settings.js";

/** Sentences whose products are looked at. */
const checkedSentences = 32;

/**
 * How many products of weights in their full range overflow on processors that sum two uint8 × int8 products in 16
 * bits, with the activations of calibration text: with safe pairs none can, and without text nothing is known.
 */
export async function saturationAdvice(
  { kind }: FedModel,
  planned: Planned,
  settings: QuantizeSettings,
  read: ReadCalibration,
): Promise<string[]> {
  const isInt8 = ["static", "dynamic"].includes(modeOf(settings));
  if (settings.pairs !== "full" || !isInt8 || settings.calibration.length === 0) return [];
  const batches = await encodedBatches(kind, spread((await read()).samples, checkedSentences));
  const { threads } = settings;
  return adviceOf(await saturation(planned.model, planned.plan, { calibrationData: batches, threads }));
}

/** The figures in words; nothing if no pair saturates. */
export function adviceOf(rows: readonly Saturation[]): string[] {
  const found = rows.filter(({ saturated }) => saturated > 0);
  const [worst] = found;
  if (worst === undefined) return [];
  const percent = ((100 * worst.saturated) / worst.pairs).toPrecision(2);
  return [
    `with the calibration text ${found.length} of ${rows.length} products overflow 16-bit sums on processors without int8 dot products (up to ${percent}% of the pairs, in ${worst.node}): without --pairs full none can`,
  ];
}
