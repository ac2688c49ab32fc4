import {
  type ApplyOptions,
  dynamic,
  int8,
  type QuantizableOp,
  type QuantizationPlan,
  type QuantizationReport,
} from "@nasty/compression";
import type { Granularity } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { withTagger } from "@nasty/taggers";
import { UsageError } from "../exit-codes.js";
import type { LoadedModel } from "../inputs/load-model.js";
import type { Terminal } from "../terminal/console.js";
import { versions } from "../versions.js";
import { calibrate } from "./calibration.js";
import { modeOf, type QuantizeSettings } from "./settings.js";

/** A plan that is ready to be printed or applied. */
export interface Planned {
  readonly plan: QuantizationPlan;
  /** What of it goes into the JSON result whether it is applied or not. */
  readonly summary: { readonly mode: string; readonly method: string };
  apply(loaded: LoadedModel): Promise<{ readonly model: ModelProto; readonly report: AppliedReport }>;
}

export interface AppliedReport {
  readonly tensors: readonly {
    name: string;
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

/** Makes the plan of the chosen mode; static mode runs the float model over the calibration text. */
export async function planQuantization(
  loaded: LoadedModel,
  settings: QuantizeSettings,
  terminal: Terminal,
): Promise<Planned> {
  const mode = modeOf(settings);
  const weights = {
    perChannel: settings.perChannel,
    symmetric: settings.asymmetric !== true,
    reduceRange: settings.reduceRange === true,
    skipLayers: settings.skipLayers,
    ...(settings.opTypes === undefined
      ? {}
      : { opTypes: settings.opTypes.split(",").map((op) => op.trim()) as QuantizableOp[] }),
  };
  switch (mode) {
    case "dynamic": {
      const plan = dynamic.plan(loaded.model, weights);
      return { plan, summary: { mode, method: "none" }, apply: applying(dynamic.apply, plan) };
    }
    case "static": {
      const options = { ...weights, activationSymmetric: settings.activations === "symmetric" };
      const { table, warnings } = await calibrate(loaded, settings, options, terminal);
      const plan = await int8.plan(loaded.model, { ...options, calibrationTable: table });
      const remarked = { ...plan, warnings: [...plan.warnings, ...warnings] };
      return {
        plan: remarked,
        summary: { mode, method: table.method },
        apply: applying(int8.apply, remarked),
      };
    }
    case "int4":
    case "weight-only":
      throw new UsageError(
        `quantize: --mode ${mode}: expected dynamic or static, got a mode that this version does not have`,
      );
    default:
      return mode satisfies never;
  }
}

type Apply = (
  model: ModelProto,
  plan: QuantizationPlan,
  options: ApplyOptions,
) => { readonly model: ModelProto; readonly report: QuantizationReport };

/** Carries a plan out on the model that it was made for; the result carries the model's tagger and its history. */
function applying(apply: Apply, plan: QuantizationPlan): Planned["apply"] {
  return async (source) => {
    const { model, report } = apply(source.model, plan, {
      provenance: { inputSha256: await source.sha256(), versions: versions() },
    });
    const complete = source.tagger === undefined ? model : await withTagger(model, source.tagger);
    return { model: complete, report: shown(report) };
  };
}

/** A report as JSON has it: granularity in words, an exact weight's infinite ratio as null. */
function shown({ tensors, keptInFloat, warnings }: QuantizationReport): AppliedReport {
  return {
    tensors: tensors.map(({ name, op, dtype, granularity, sqnrDb }) => ({
      name,
      op,
      dtype,
      granularity: granularityText(granularity),
      sqnrDb: Number.isFinite(sqnrDb) ? sqnrDb : null,
    })),
    keptInFloat,
    warnings,
  };
}
