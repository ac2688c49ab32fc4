import { type CalibrationText, collectSources, parseSource } from "../texts/calibration-sources.js";
import type { ModelKind } from "../kinds/kind.js";
import type { Reporter } from "../reporter.js";
import { modeOf, type QuantizeSettings } from "./settings.js";

/** Reads the calibration text, the first time that it is asked for: standard input cannot be read again. */
export type ReadCalibration = () => Promise<CalibrationText>;

/** Sentences that error compensation, migration and the like run on when nothing says how many. */
const defaultSentences = 128;

export function calibrationReader(
  kind: ModelKind,
  settings: QuantizeSettings,
  { note }: Pick<Reporter, "note">,
): ReadCalibration {
  let read: Promise<CalibrationText> | undefined;
  const limit = settings.limit ?? (modeOf(settings) === "static" ? undefined : defaultSentences);
  const { calibration, seed, onePerLine } = settings;
  const collect = async (): Promise<CalibrationText> => {
    const text = await collectSources(kind, calibration.map(parseSource), { limit, seed, onePerLine });
    for (const hint of text.hints) note(hint);
    return text;
  };
  return () => (read ??= collect());
}
