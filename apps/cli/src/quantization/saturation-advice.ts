import { type Saturation, saturation } from "@nasty/compression";
import { environment } from "@nasty/runtime";
import type { LoadedModel } from "../inputs/load-model.js";
import { calibrationBatches } from "./calibration-batches.js";
import type { Planned } from "./plan-quantization.js";
import { modeOf, type QuantizeSettings } from "./settings.js";

/**
 * Whether 7-bit weights are advised: only where this processor sums two uint8 × int8 products in 16 bits, and real activations overflow them.
 *
 * Without calibration text, and where it comes from standard input, which was read already, nothing is known and nothing advised.
 */
export async function saturationAdvice(
  loaded: LoadedModel,
  planned: Planned,
  settings: QuantizeSettings,
): Promise<string[]> {
  const { int8DotProduct } = environment({ threads: settings.threads });
  const isInt8 = ["static", "dynamic"].includes(modeOf(settings));
  const isReadable =
    settings.calibration.length > 0 && settings.calibration.every((source) => !source.startsWith("-"));
  if (int8DotProduct || !isInt8 || !isReadable || settings.reduceRange === true) return [];
  const batches = await calibrationBatches(loaded, {
    ...settings,
    limit: Math.min(settings.limit ?? 32, 32),
  });
  const session = { threads: settings.threads };
  return adviceOf(await saturation(planned.model, planned.plan, { calibrationData: batches ?? [], session }));
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
