import type { CalibrationMethod } from "@nasty/calibration";
import type { BlockRounding, Pairs } from "@nasty/compression";

/** The options of `nasty quantize` that decide what is made; undefined ones were not given. */
export interface QuantizeSettings {
  readonly calibration: readonly string[];
  /** Each line of plain calibration text is one sentence. */
  readonly onePerLine?: boolean;
  readonly calibrationTable?: string;
  readonly saveCalibrationTable?: string;
  /** Labelled text of the gate. */
  readonly validation?: string;
  readonly mode?: QuantizeMode;
  readonly method?: CalibrationMethod;
  readonly percentile?: number;
  readonly limit?: number;
  readonly perChannel: boolean;
  readonly symmetric?: boolean;
  readonly asymmetric?: boolean;
  readonly activations?: "symmetric" | "asymmetric";
  readonly reduceRange?: boolean;
  readonly pairs?: Pairs;
  readonly opTypes?: string;
  readonly skipLayers: readonly string[];
  readonly blockSize?: number;
  readonly rounding?: BlockRounding;
  readonly accuracyLevel?: 0 | 1 | 2 | 3 | 4;
  /** Bytes that the file may have. */
  readonly targetSize?: number;
  readonly migrateOutliers?: boolean;
  readonly correctBiases?: boolean;
  /** Least cosine similarity of every output to the original's. */
  readonly minCosine?: number;
  /** Measure what each weight costs, and report it ranked. */
  readonly sensitivity?: boolean;
  readonly threads: number;
  readonly seed: number;
}

export type QuantizeMode = "static" | "dynamic" | "int4" | "weight-only" | "mixed";

/** The mode that was asked for, or the one that fits what was given: a size means mixed bits, calibration static. */
export function modeOf({ mode, calibration, calibrationTable, targetSize }: QuantizeSettings): QuantizeMode {
  if (targetSize !== undefined) return "mixed";
  return mode ?? (calibration.length > 0 || calibrationTable !== undefined ? "static" : "dynamic");
}

/** Static quantization without text or table to take ranges from: only a model that was trained for it has them. */
export function usesTrainedRanges(settings: QuantizeSettings): boolean {
  const { calibration, calibrationTable } = settings;
  return modeOf(settings) === "static" && calibration.length === 0 && calibrationTable === undefined;
}
