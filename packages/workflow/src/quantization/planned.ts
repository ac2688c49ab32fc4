import type { ApplyOptions, QuantizationPlan, QuantizationReport } from "@nasty/compression";
import type { Granularity } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import type { FedModel } from "./calibration-batches.js";
import type { MeasuredRanges } from "./activation-ranges.js";
import type { QuantizeMode } from "./settings.js";

/** A plan that is ready to be printed or applied. */
export interface Planned {
  readonly plan: QuantizationPlan;
  /** The plan before biases were corrected for it, where they were. */
  readonly uncorrected?: QuantizationPlan;
  /** What was measured to choose its ranges; undefined outside of static mode and for a plan that was made before. */
  readonly measured?: MeasuredRanges | undefined;
  /** What of it goes into the JSON result whether it is applied or not. */
  readonly summary: { readonly mode: QuantizeMode; readonly method: string };
  /** The float model that the plan is for: the user's, or one that was evened out or corrected before. */
  readonly model: ModelProto;
  /** What applying the plan takes beside the model. */
  readonly options: ApplyOptions;
  apply(loaded: FedModel): Promise<{ readonly model: ModelProto; readonly report: AppliedReport }>;
  reportOf(report: QuantizationReport): AppliedReport;
}

export interface AppliedReport {
  readonly tensors: readonly {
    name: string;
    layer: string;
    op: string;
    dtype: string;
    granularity: string;
    sqnrDb: number | null;
  }[];
  readonly keptInFloat: QuantizationReport["keptInFloat"];
  readonly warnings: readonly string[];
}

/** `per-tensor`, `per-channel (axis 1)`, `per-block (axis 0, 32)`. */
export function granularityText(granularity: Granularity): string {
  switch (granularity.kind) {
    case "per-tensor":
      return "per-tensor";
    case "per-channel":
      return `per-channel (axis ${granularity.axis})`;
    case "per-block":
      return `per-block (axis ${granularity.axis}, ${granularity.blockSize})`;
    default:
      return granularity satisfies never;
  }
}

/** A report as JSON has it: granularity in words, an exact weight's infinite ratio as null. */
export function shown({ tensors, keptInFloat, warnings }: QuantizationReport): AppliedReport {
  return {
    tensors: tensors.map(({ name, layer, op, dtype, granularity, sqnrDb }) => ({
      name,
      layer,
      op,
      dtype,
      granularity: granularityText(granularity),
      sqnrDb: Number.isFinite(sqnrDb) ? sqnrDb : null,
    })),
    keptInFloat,
    warnings,
  };
}
