import type { CalibrationBatch } from "@nasty/calibration";
import {
  apply,
  type ApplyOptions,
  correctBiases,
  migrateOutliers,
  type PairedUnits,
  pairedFor,
  plan as planModel,
  prepareModel,
  type Provenance,
  type QuantizableOp,
  type QuantizationPlan,
  type QuantizationReport,
} from "@nasty/compression";
import type { Granularity } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { taggerMetadata, withTagger } from "@nasty/taggers";
import { parseSource } from "../texts/calibration-sources.js";
import type { LoadedModel } from "../models/load-model.js";
import { provenanceOf } from "../models/provenance.js";
import type { Reporter } from "../reporter.js";
import { addedBytes } from "./added-bytes.js";
import { calibrate } from "./calibration.js";
import { calibrationBatches } from "./calibration-batches.js";
import { calibrationReader, type ReadCalibration } from "./calibration-text.js";
import { checkPlanOptions } from "./mode-options.js";
import { modeOf, type QuantizeSettings, usesTrainedRanges } from "./settings.js";

/** A plan that is ready to be printed or applied. */
export interface Planned {
  readonly plan: QuantizationPlan;
  /** What of it goes into the JSON result whether it is applied or not. */
  readonly summary: { readonly mode: string; readonly method: string };
  /** The float model that the plan is for: the user's, or one that was evened out or corrected before. */
  readonly model: ModelProto;
  /** What applying the plan takes beside the model. */
  readonly options: ApplyOptions;
  apply(loaded: LoadedModel): Promise<{ readonly model: ModelProto; readonly report: AppliedReport }>;
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

/** Makes the plan of the chosen mode; what needs measuring runs the float model over the calibration text. */
export async function planQuantization(
  loaded: LoadedModel,
  settings: QuantizeSettings,
  reporter: Reporter,
  read: ReadCalibration = calibrationReader(settings, reporter),
): Promise<Planned> {
  const batches = needsBatches(settings) ? await calibrationBatches(loaded, settings, read) : undefined;
  const evened = await evenedOut(loaded, settings, batches, reporter);
  const { layers, model: paired } = orderedUnits(evened.model, settings);
  const prepared = { ...evened, model: paired };
  const made = await planOf({ ...loaded, model: prepared.model }, { settings, batches, read }, reporter);
  checkPlanOptions(settings, made.plan);
  const plan = {
    ...made.plan,
    options: { ...made.plan.options, ...(layers > 0 && { pairedLayers: layers }) },
    warnings: [
      ...new Set([...prepareModel(loaded.model).changes, ...made.plan.warnings, ...prepared.warnings]),
    ],
  };
  const options: ApplyOptions = {
    provenance: await provenance(loaded, settings),
    ...(batches !== undefined && { calibrationData: batches, limit: batches.length }),
    threads: settings.threads,
  };
  const corrected =
    settings.correctBiases === true
      ? await correctBiases(prepared.model, plan, options)
      : { model: prepared.model, plan };
  return {
    ...corrected,
    summary: made.summary,
    options,
    reportOf: shown,
    async apply(source) {
      const { model, report } = await apply(corrected.model, corrected.plan, options);
      return { model: await finished(model, source), report: shown(report) };
    },
  };
}

/** What the history says of the step: where the weights came from, and what ranges and loss were measured on. */
async function provenance(
  loaded: LoadedModel,
  { calibration, calibrationTable, validation }: QuantizeSettings,
): Promise<Provenance> {
  const texts = calibration.map((text) => parseSource(text).path);
  return provenanceOf(await loaded.sha256(), { calibration: texts, calibrationTable, validation });
}

/** Bytes that the written file will have beside its graph. */
export async function bytesBeside(loaded: LoadedModel, settings: QuantizeSettings): Promise<number> {
  const carried = loaded.tagger === undefined ? {} : await taggerMetadata(loaded.tagger);
  const present = loaded.model.metadataProps.map(({ key }) => key);
  return addedBytes(present, carried, await provenance(loaded, settings));
}

/** The quantized model with the tagger of the one it was made of. */
export async function finished(model: ModelProto, source: LoadedModel): Promise<ModelProto> {
  return source.tagger === undefined ? model : withTagger(model, source.tagger);
}

/** The model with its hidden units ordered for safe pairs, where int8 products will have them; what was trained for its scales keeps its order. */
function orderedUnits(model: ModelProto, settings: QuantizeSettings): PairedUnits {
  const isInt8 = ["dynamic", "static"].includes(modeOf(settings));
  return isInt8 && !usesTrainedRanges(settings)
    ? pairedFor(model, settings, { inPlace: true })
    : { model, layers: 0 };
}

/** Whether anything but static ranges, which are measured in a stream, needs the encoded text. */
function needsBatches(settings: QuantizeSettings): boolean {
  const { migrateOutliers, correctBiases: corrects } = settings;
  return modeOf(settings) !== "static" || migrateOutliers === true || corrects === true;
}

async function evenedOut(
  loaded: LoadedModel,
  settings: QuantizeSettings,
  batches: CalibrationBatch[] | undefined,
  { progress }: Reporter,
): Promise<{ readonly model: ModelProto; readonly warnings: readonly string[] }> {
  if (settings.migrateOutliers !== true) return { model: loaded.model, warnings: [] };
  progress.start("moving outliers of activations into weights");
  const { model, activations } = await migrateOutliers(loaded.model, {
    calibrationData: batches ?? [],
    skipLayers: settings.skipLayers,
    threads: settings.threads,
  });
  progress.stop();
  const found =
    activations.length === 0
      ? "no activation has outlier channels"
      : `outlier channels of ${activations.join(", ")} went into the weights`;
  return { model, warnings: [`--migrate-outliers: ${found}`] };
}

type Made = Pick<Planned, "plan" | "summary">;

interface PlanJob {
  readonly settings: QuantizeSettings;
  readonly batches: CalibrationBatch[] | undefined;
  readonly read: ReadCalibration;
}

async function planOf(
  loaded: LoadedModel,
  { settings, batches, read }: PlanJob,
  reporter: Reporter,
): Promise<Made> {
  const mode = modeOf(settings);
  const common = {
    symmetric: settings.asymmetric !== true,
    skipLayers: settings.skipLayers,
    ...(settings.pairs !== undefined && { pairs: settings.pairs }),
    ...(settings.opTypes === undefined
      ? {}
      : { opTypes: settings.opTypes.split(",").map((op) => op.trim()) as QuantizableOp[] }),
  };
  const weights = { ...common, perChannel: settings.perChannel, reduceRange: settings.reduceRange === true };
  const rounding = settings.rounding ?? (batches === undefined ? "nearest" : "gptq");
  const blocks = {
    ...common,
    ...(mode === "int4" && { perChannel: settings.perChannel, reduceRange: settings.reduceRange === true }),
    rounding,
    ...(settings.blockSize !== undefined && { blockSize: settings.blockSize }),
    ...(settings.accuracyLevel !== undefined && { accuracyLevel: settings.accuracyLevel }),
  };
  switch (mode) {
    case "dynamic":
      return { plan: await planModel(loaded.model, { mode, ...weights }), summary: { mode, method: "none" } };
    case "static": {
      const options = { ...weights, activationSymmetric: settings.activations === "symmetric" };
      const { table, warnings } = await calibrate(loaded, { settings, weights: options, read }, reporter);
      const plan = await planModel(loaded.model, { mode, ...options, calibrationTable: table });
      return {
        plan: { ...plan, warnings: [...plan.warnings, ...warnings] },
        summary: { mode, method: table.method },
      };
    }
    case "int4":
      return {
        plan: await planModel(loaded.model, { mode, ...blocks }),
        summary: { mode, method: rounding },
      };
    case "weight-only":
      return {
        plan: await planModel(loaded.model, { mode, ...blocks }),
        summary: { mode, method: rounding },
      };
    case "mixed": {
      reporter.progress.start("measuring what each weight costs in 4 and in 8 bits");
      const { opTypes: _, ...rest } = blocks;
      const plan = await planModel(loaded.model, {
        mode,
        ...rest,
        targetBytes: settings.targetSize ?? 0,
        batches: batches ?? [],
        calibrationData: batches ?? [],
        extraBytes: await bytesBeside(loaded, settings),
        threads: settings.threads,
      });
      reporter.progress.stop();
      return { plan, summary: { mode, method: rounding } };
    }
    default:
      return mode satisfies never;
  }
}

/** A report as JSON has it: granularity in words, an exact weight's infinite ratio as null. */
function shown({ tensors, keptInFloat, warnings }: QuantizationReport): AppliedReport {
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
