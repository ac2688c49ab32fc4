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
} from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import type { Session } from "@nasty/runtime";
import { InputError } from "../errors.js";
import { parseSource } from "../texts/calibration-sources.js";
import type { LoadedModel } from "../models/load-model.js";
import { provenanceOf } from "../models/provenance.js";
import type { Reporter } from "../reporter.js";
import { addedBytes } from "./added-bytes.js";
import { calibrate } from "./calibration.js";
import { calibrationBatches, type FedModel } from "./calibration-batches.js";
import type { ReadCalibration } from "./calibration-text.js";
import { needsText } from "./needs-text.js";
import { checkPlanOptions } from "./mode-options.js";
import { type Planned, shown } from "./planned.js";
import type { QuantizePlan } from "./quantize-plan.js";
import { modeOf, type QuantizeSettings, usesTrainedRanges } from "./settings.js";
import { commonOptions, staticOptions, weightOptions } from "./weight-options.js";

/** What planning takes beside the model. */
export interface PlanningJob {
  readonly settings: QuantizeSettings;
  readonly read: ReadCalibration;
  /** A plan that was made before, of these settings and this model: it is not made again. */
  readonly made?: QuantizePlan | undefined;
  /** What else to ask the float model while it is open to be measured. */
  readonly use?: ((session: Session) => Promise<void>) | undefined;
}

/** Makes the plan of the chosen mode; what needs measuring runs the float model over the calibration text. */
export async function planQuantization(
  loaded: FedModel,
  job: PlanningJob,
  reporter: Reporter,
): Promise<Planned> {
  const { settings, read, made: given } = job;
  const batches = needsText(settings) ? await calibrationBatches(loaded, settings, read) : undefined;
  const evened = await evenedOut(loaded, settings, batches, reporter);
  const { layers, model } = orderedUnits({ ...loaded, model: evened.model }, settings);
  const planFor = async (): Promise<Made> => {
    const made = await planOf({ ...loaded, model }, { ...job, batches }, reporter);
    checkPlanOptions(settings, made.plan);
    const plan = {
      ...made.plan,
      options: { ...made.plan.options, ...(layers > 0 && { pairedLayers: layers }) },
      warnings: [
        ...new Set([...prepareModel(loaded.model).changes, ...made.plan.warnings, ...evened.warnings]),
      ],
    };
    return { ...made, plan };
  };
  const { plan, summary, measured }: Made =
    given === undefined
      ? await planFor()
      : { plan: given.uncorrected ?? given.plan, summary: { mode: given.mode, method: given.method } };
  const options: ApplyOptions = {
    provenance:
      given === undefined ? await provenance(loaded, settings) : await laterProvenance(given, settings),
    ...(batches !== undefined && { calibrationData: batches, limit: batches.length }),
    threads: settings.threads,
  };
  const isCorrected = settings.correctBiases === true;
  const corrected = isCorrected ? await correctBiases(model, plan, options) : { model, plan };
  return {
    ...corrected,
    ...(isCorrected && { uncorrected: plan }),
    summary,
    measured,
    options,
    reportOf: shown,
    async apply(source) {
      const applied = await apply(corrected.model, corrected.plan, { ...options, inPlace: isOwn(source) });
      return { model: await source.kind.finished(applied.model), report: shown(applied.report) };
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

/**
 * The same for a plan that was made before: its texts were read then, that of the gate is now.
 *
 * @throws InputError for calibration text that is read again, and is another than it was
 */
async function laterProvenance(
  { provenance: { inputSha256, data: before } }: QuantizePlan,
  settings: QuantizeSettings,
): Promise<Provenance> {
  const { validation } = settings;
  if (needsText(settings)) {
    const calibration = settings.calibration.map((text) => parseSource(text).path);
    const { data } = await provenanceOf(undefined, { calibration });
    if (JSON.stringify(data?.["calibration"]) !== JSON.stringify(before?.["calibration"])) {
      throw new InputError(
        `quantize: plan: calibration ${calibration.join(", ")}: expected the text that the plan was made with (it is read again), got another one; plan again`,
      );
    }
  }
  const { data: now, versions } = await provenanceOf(inputSha256, { validation });
  const data = { ...before, ...now };
  return {
    ...(inputSha256 === undefined ? {} : { inputSha256 }),
    ...(Object.keys(data).length === 0 ? {} : { data }),
    ...(versions === undefined ? {} : { versions }),
  };
}

/** Bytes that the written file will have beside its graph. */
export async function bytesBeside(loaded: FedModel, settings: QuantizeSettings): Promise<number> {
  const carried = await loaded.kind.metadata();
  const present = loaded.model.metadataProps.map(({ key }) => key);
  return addedBytes(present, carried, await provenance(loaded, settings));
}

/**
 * The model with its hidden units ordered for safe pairs, where int8 products will have them; what was trained for its
 * scales keeps its order.
 */
function orderedUnits(loaded: LoadedModel, settings: QuantizeSettings): PairedUnits {
  const { model } = loaded;
  const isInt8 = ["dynamic", "static"].includes(modeOf(settings));
  return isInt8 && !usesTrainedRanges(settings)
    ? pairedFor(model, settings, { inPlace: isOwn(loaded) })
    : { model, layers: 0 };
}

/**
 * Whether what was read is for this work alone, so that its bytes may be written over. A neural tagger is run from
 * memory as it was read, and is small.
 */
export const isOwn = ({ isShared, tagger }: LoadedModel): boolean => !isShared && tagger?.kind !== "neural";

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

type Made = Pick<Planned, "plan" | "summary" | "measured">;

interface PlanJob extends PlanningJob {
  readonly batches: CalibrationBatch[] | undefined;
}

async function planOf(
  loaded: FedModel,
  { settings, batches, read, use }: PlanJob,
  reporter: Reporter,
): Promise<Made> {
  const mode = modeOf(settings);
  const common = commonOptions(settings);
  const weights = weightOptions(settings);
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
      const options = staticOptions(settings);
      const { warnings, ...measured } = await calibrate(
        loaded,
        { settings, weights: options, read, use },
        reporter,
      );
      const plan = await planModel(loaded.model, { mode, ...options, calibrationTable: measured.table });
      return {
        plan: { ...plan, warnings: [...plan.warnings, ...warnings] },
        summary: { mode, method: measured.table.method },
        measured,
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
