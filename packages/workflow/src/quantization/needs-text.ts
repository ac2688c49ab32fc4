import { modeOf, type QuantizeSettings } from "./settings.js";

/** Whether anything but static ranges, which are measured in a stream, needs the encoded calibration text. */
export function needsText(settings: QuantizeSettings): boolean {
  const { migrateOutliers, correctBiases: corrects } = settings;
  return modeOf(settings) !== "static" || migrateOutliers === true || corrects === true;
}
