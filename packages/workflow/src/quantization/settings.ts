import type { quantizeOperation } from "../operations/quantize.js";
import type { SettingsOf } from "../schema/option.js";

/** What `quantize` works with. */
export type QuantizeSettings = SettingsOf<typeof quantizeOperation.options>;

/** What the command line gives: a model may be missing there, and the plan may be all that is wanted. */
export type GivenSettings = Omit<QuantizeSettings, "model"> & {
  readonly model?: string;
  readonly dryRun?: boolean;
};

/** What decides which mode is meant, and where its ranges come from. */
type ModeSettings = Pick<QuantizeSettings, "mode" | "calibration" | "calibrationTable" | "targetSize">;

export type QuantizeMode = NonNullable<QuantizeSettings["mode"]> | "mixed";

/** The mode that was asked for, or the one that fits what was given: a size means mixed bits, calibration static. */
export function modeOf({ mode, calibration, calibrationTable, targetSize }: ModeSettings): QuantizeMode {
  if (targetSize !== undefined) return "mixed";
  return mode ?? (calibration.length > 0 || calibrationTable !== undefined ? "static" : "dynamic");
}

/** Static quantization without text or table to take ranges from: only a model that was trained for it has them. */
export function usesTrainedRanges(settings: ModeSettings): boolean {
  const { calibration, calibrationTable } = settings;
  return modeOf(settings) === "static" && calibration.length === 0 && calibrationTable === undefined;
}
