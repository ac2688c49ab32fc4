import { type Saturation, saturation } from "@nasty/compression";
import { environment } from "@nasty/runtime";
import type { LoadedModel } from "../inputs/load-model.js";
import { spread } from "../comparison/spread.js";
import { encodedBatches } from "./calibration-batches.js";
import type { ReadCalibration } from "./calibration-text.js";
import type { Planned } from "./plan-quantization.js";
import { modeOf, type QuantizeSettings } from "./settings.js";

/** Sentences whose products are looked at. */
const checkedSentences = 32;

/**
 * Whether 7-bit weights are advised: only where this processor sums two uint8 × int8 products in 16 bits, and real activations overflow them.
 *
 * Without calibration text nothing is known and nothing advised.
 */
export async function saturationAdvice(
  loaded: LoadedModel,
  planned: Planned,
  settings: QuantizeSettings,
  read: ReadCalibration,
): Promise<string[]> {
  const { int8DotProduct } = environment({ threads: settings.threads });
  const isInt8 = ["static", "dynamic"].includes(modeOf(settings));
  const hasText = settings.calibration.length > 0;
  if (int8DotProduct || !isInt8 || !hasText || settings.reduceRange === true) return [];
  const batches = await encodedBatches(loaded, spread((await read()).sentences, checkedSentences), settings);
  const session = { threads: settings.threads };
  return adviceOf(await saturation(planned.model, planned.plan, { calibrationData: batches, session }));
}

/** The figures in words; nothing if no pair saturates. */
export function adviceOf(rows: readonly Saturation[]): string[] {
  const found = rows.filter(({ saturated }) => saturated > 0);
  const [worst] = found;
  if (worst === undefined) return [];
  const percent = ((100 * worst.saturated) / worst.pairs).toPrecision(2);
  return [
    `${found.length} of ${rows.length} products overflow 16-bit sums on this processor (up to ${percent}% of the pairs, in ${worst.node}): --reduce-range avoids it`,
  ];
}
