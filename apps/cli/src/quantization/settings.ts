import type { CalibrationMethod } from "@nasty/calibration";

/** The options of `nasty quantize` that decide what is made; undefined ones were not given. */
export interface QuantizeSettings {
  readonly calibration: readonly string[];
  readonly calibrationTable?: string;
  readonly saveCalibrationTable?: string;
  readonly mode?: QuantizeMode;
  readonly method?: CalibrationMethod;
  readonly percentile?: number;
  readonly limit?: number;
  readonly perChannel: boolean;
  readonly symmetric?: boolean;
  readonly asymmetric?: boolean;
  readonly activations?: "symmetric" | "asymmetric";
  readonly reduceRange?: boolean;
  readonly opTypes?: string;
  readonly skipLayers: readonly string[];
  readonly blockSize?: number;
  readonly threads: number;
}

export type QuantizeMode = "static" | "dynamic" | "int4" | "weight-only";

/** The mode that was asked for, or the one that fits what was given: calibration means static. */
export function modeOf({ mode, calibration, calibrationTable }: QuantizeSettings): QuantizeMode {
  return mode ?? (calibration.length > 0 || calibrationTable !== undefined ? "static" : "dynamic");
}
