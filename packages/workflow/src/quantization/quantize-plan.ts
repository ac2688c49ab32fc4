import type { Provenance, QuantizationPlan } from "@nasty/compression";
import { InputError, UsageError } from "../errors.js";
import type { LoadedModel } from "../models/load-model.js";
import { parseSource } from "../texts/calibration-sources.js";
import { needsText } from "./needs-text.js";
import type { SensitivityRow } from "./sensitivity.js";
import type { QuantizeMode, QuantizeSettings } from "./settings.js";

/** The settings that decide what is made; all others say what is done with it. */
const making = [
  "calibration",
  "onePerLine",
  "calibrationTable",
  "saveCalibrationTable",
  "mode",
  "method",
  "percentile",
  "limit",
  "activations",
  "perChannel",
  "symmetric",
  "asymmetric",
  "pairs",
  "reduceRange",
  "opTypes",
  "skipLayers",
  "blockSize",
  "rounding",
  "accuracyLevel",
  "targetSize",
  "migrateOutliers",
  "correctBiases",
  "task",
  "scheme",
  "sensitivity",
] as const satisfies readonly (keyof QuantizeSettings)[];

/** Settings of a plan: what decides what is made, and what its texts were read with. */
export type PlanSettings = Pick<QuantizeSettings, (typeof making)[number] | "seed" | "inputFormat">;

/**
 * What a quantization is about to do, as plain data: it can be printed, stored as JSON, and carried out later on the
 * same model. Ranges of activations are in it; a plan with gptq rounding, migrated outliers or corrected biases reads
 * its calibration text again.
 */
export interface QuantizePlan {
  readonly schemaVersion: 1;
  /** The model that it was made for: its path, and the SHA-256 of its file. */
  readonly model: { readonly path: string; readonly sha256: string };
  readonly mode: QuantizeMode;
  /** How ranges were found or weights are rounded; `none` in dynamic mode. */
  readonly method: string;
  /** What becomes of each weight and activation. */
  readonly plan: QuantizationPlan;
  /** The plan before biases were corrected for it, where they are to be. */
  readonly uncorrected?: QuantizationPlan;
  /** Bytes that the written file will have, if nothing is left in float by a gate. */
  readonly estimatedBytes: number;
  /** What each weight costs by itself, most sensitive first; null if it was not measured. */
  readonly sensitivity: readonly SensitivityRow[] | null;
  readonly settings: PlanSettings;
  /** What the history will say beside the options. */
  readonly provenance: Provenance;
}

/** The part of settings that a plan keeps. */
export function planSettings(settings: QuantizeSettings, mode: QuantizeMode): PlanSettings {
  const kept: Record<string, unknown> = { seed: settings.seed, inputFormat: settings.inputFormat };
  for (const key of making) if (settings[key] !== undefined) kept[key] = settings[key];
  // A size says what the mode is; of all others the name is kept, whatever it was seen from.
  if (mode !== "mixed") kept["mode"] = mode;
  return kept as PlanSettings;
}

/** Whether calibration text comes from standard input, which can be read once. */
export function readsStandardInput({ calibration }: Pick<QuantizeSettings, "calibration">): boolean {
  return calibration.some((source) => parseSource(source).path === "-");
}

/**
 * Settings that carry a plan out: what is made as the plan says, what is done with it as the caller says.
 *
 * @throws UsageError for standard input that would have to be read again
 */
export function settingsWith(plan: QuantizePlan, settings: QuantizeSettings): QuantizeSettings {
  const { saveCalibrationTable: _, sensitivity: __, seed: ___, inputFormat: ____, ...made } = plan.settings;
  const merged = { ...settings, ...made };
  if (needsText(merged) && readsStandardInput(merged)) {
    throw new UsageError(
      "quantize: plan: calibration: expected files (the text is read again to carry the plan out), got standard input, which can be read once",
    );
  }
  return merged;
}

/**
 * A plan as it may come from a file.
 *
 * @param beside options that are given with it
 * @throws UsageError for what is no plan, and for options that the plan says already
 */
export function checkedPlan(plan: QuantizePlan, beside: Readonly<Record<string, unknown>>): QuantizePlan {
  const { schemaVersion, model, plan: inner, settings, provenance } = plan as Partial<QuantizePlan>;
  if (schemaVersion !== 1) {
    throw new UsageError(
      `quantize: plan: schemaVersion: expected 1 (a plan of quantize.plan), got ${JSON.stringify(schemaVersion) ?? "none"}`,
    );
  }
  for (const [part, value] of Object.entries({ model, plan: inner, settings, provenance })) {
    if (typeof value === "object" && value !== null) continue;
    throw new UsageError(
      `quantize: plan: ${part}: expected an object, got ${JSON.stringify(value) ?? "none"}`,
    );
  }
  for (const key of making) {
    if (beside[key] === undefined) continue;
    throw new UsageError(`quantize: ${key}: expected no plan beside it, which says it already, got both`);
  }
  return plan;
}

/** @throws InputError if the plan was made for another model */
export async function checkPlanFits({ model }: QuantizePlan, loaded: LoadedModel): Promise<void> {
  const sha256 = await loaded.sha256();
  if (sha256 === model.sha256) return;
  throw new InputError(
    `quantize: ${loaded.path}: plan: expected the model that it was made for (${model.path}, SHA-256 ${shortened(model.sha256)}), got another one (SHA-256 ${shortened(sha256)}); plan again`,
  );
}

const shortened = (sha256: unknown): string => `${String(sha256).slice(0, 16)}…`;
