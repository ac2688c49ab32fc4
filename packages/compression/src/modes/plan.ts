import type { ModelProto } from "@nasty/formats/onnx";
import { planInt4, planWeightOnly, type BlockOptions } from "../block-weights/weight-only.js";
import { CompressionError } from "../compression-error.js";
import type {
  DynamicPlan,
  Int4Plan,
  MixedPlan,
  StaticPlan,
  TrainedPlan,
  WeightOnlyPlan,
} from "../plan/plan.js";
import { planTargetSize, type TargetSizeOptions } from "../plan/target-size.js";
import { planTrained, type TrainedPlanOptions } from "../qat/plan-trained.js";
import { planDynamic, type DynamicOptions } from "./dynamic.js";
import { planInt8, type CalibrationOptions, type StaticOptions } from "./int8.js";

/** What planning each mode takes beside the model. */
export interface ModeOptions {
  /** Weights are quantized now, activations at each run; no calibration data. */
  readonly dynamic: DynamicOptions;
  /** Weights and the ranges of activations are fixed now, from calibration data. */
  readonly static: StaticOptions & CalibrationOptions;
  /** Weights of 4 bits in blocks; LSTMs as int8. */
  readonly int4: BlockOptions;
  /** Weights of 8 bits in blocks, activations in float. */
  readonly "weight-only": BlockOptions;
  /** 4, 8 or 32 bits a weight, so that the file stays under a size. */
  readonly mixed: TargetSizeOptions;
  /** What the model was trained for; nothing is measured. */
  readonly trained: TrainedPlanOptions;
}

/** What planning each mode gives. */
export interface ModePlans {
  readonly dynamic: DynamicPlan;
  readonly static: StaticPlan;
  readonly int4: Int4Plan;
  readonly "weight-only": WeightOnlyPlan;
  readonly mixed: MixedPlan;
  readonly trained: TrainedPlan;
}

export type PlanMode = keyof ModePlans;

export type PlanOptions<Mode extends PlanMode = PlanMode> = { readonly mode: Mode } & ModeOptions[Mode];

const planners: {
  readonly [Mode in PlanMode]: (
    model: ModelProto,
    options: ModeOptions[Mode],
  ) => ModePlans[Mode] | Promise<ModePlans[Mode]>;
} = {
  dynamic: planDynamic,
  static: planInt8,
  int4: planInt4,
  "weight-only": planWeightOnly,
  mixed: planTargetSize,
  trained: planTrained,
};

/**
 * Plans quantization of any mode: which weights become integers and how, which stay in float and why.
 *
 * @param model an unfused float32 graph; not changed
 * @param options the mode, and what it lets its caller choose
 * @returns plain data for `apply`, which says its mode itself: a `trained` plan has the mode that the model was trained
 *   for
 * @throws CompressionError `invalid-option`, `no-such-layer`, `already-quantized`; static `no-calibration-data`,
 *   `missing-range`; mixed `target-missed`; trained `no-trained-ranges`, `scale-mismatch`
 * @example
 * const plan4 = await plan(model, { mode: "int4", blockSize: 32 });
 */
export async function plan<Mode extends PlanMode>(
  model: ModelProto,
  options: PlanOptions<Mode>,
): Promise<ModePlans[Mode]> {
  const { mode } = options;
  if (!Object.hasOwn(planners, mode)) {
    throw new CompressionError(
      "invalid-option",
      `plan: mode: expected ${Object.keys(planners).join(", ")}, got ${String(mode)}`,
    );
  }
  return planners[mode](model, options);
}
