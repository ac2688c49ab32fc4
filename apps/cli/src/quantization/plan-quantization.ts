import { type CalibrationTable, parseCalibrationTable } from "@nasty/calibration";
import { readFile } from "node:fs/promises";
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
import { InputError, UsageError } from "../exit-codes.js";
import { collectSources, parseSource } from "../inputs/calibration-sources.js";
import type { LoadedModel } from "../inputs/load-model.js";
import { openModel } from "../inputs/model.js";
import type { Terminal } from "../terminal/console.js";
import { versions } from "../versions.js";

/** The options of `nasty quantize` that decide what is made. */
export interface QuantizeSettings {
  readonly calibration: readonly string[];
  readonly calibrationTable?: string;
  readonly mode?: "static" | "dynamic" | "int4" | "weight-only";
  readonly method: "minmax" | "percentile" | "entropy" | "moving-average" | "mse";
  readonly percentile: number;
  readonly limit: number;
  readonly perChannel: boolean;
  readonly symmetric?: boolean;
  readonly asymmetric?: boolean;
  readonly activations: "symmetric" | "asymmetric";
  readonly reduceRange?: boolean;
  readonly opTypes?: string;
  readonly skipLayers: readonly string[];
  readonly blockSize: number;
  readonly threads: number;
}

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
  const mode = settings.mode ?? (settings.calibration.length > 0 ? "static" : "dynamic");
  const weights = {
    perChannel: settings.perChannel,
    symmetric: settings.asymmetric !== true,
    reduceRange: settings.reduceRange === true,
    skipLayers: settings.skipLayers,
    ...(settings.opTypes === undefined
      ? {}
      : { opTypes: settings.opTypes.split(",").map((op) => op.trim()) as QuantizableOp[] }),
  };
  const applying =
    (
      apply: (
        model: ModelProto,
        plan: QuantizationPlan,
        options: ApplyOptions,
      ) => { model: ModelProto; report: QuantizationReport },
      plan: QuantizationPlan,
    ) =>
    async (source: LoadedModel) => {
      const { model, report } = apply(source.model, plan, {
        provenance: { inputSha256: await source.sha256(), versions: versions() },
      });
      const complete = source.tagger === undefined ? model : await withTagger(model, source.tagger);
      return { model: complete, report: applied(report) };
    };

  switch (mode) {
    case "dynamic": {
      const plan = dynamic.plan(loaded.model, weights);
      return { plan, summary: { mode, method: "none" }, apply: applying(dynamic.apply, plan) };
    }
    case "static": {
      const plan = await int8.plan(loaded.model, {
        ...weights,
        activationSymmetric: settings.activations === "symmetric",
        ...(await ranges(loaded, settings, terminal)),
      });
      terminal.progress.stop();
      return { plan, summary: { mode, method: settings.method }, apply: applying(int8.apply, plan) };
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

/** Where the ranges of static mode come from: a saved table, or the float model run over the calibration text. */
async function ranges(loaded: LoadedModel, settings: QuantizeSettings, terminal: Terminal) {
  const { method: calibrationMethod, percentile } = settings;
  if (settings.calibrationTable !== undefined) {
    const calibrationTable: CalibrationTable = parseCalibrationTable(
      await readFile(settings.calibrationTable, "utf8"),
    );
    return { calibrationTable };
  }
  if (loaded.tagger === undefined) {
    throw new InputError(
      `quantize: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it (calibration text must be encoded), got none; give the Hugging Face directory`,
    );
  }
  const sentences = await collectSources(settings.calibration.map(parseSource), settings.limit);
  terminal.progress.start(
    `calibrating on ${sentences.length} sentences (${calibrationMethod})`,
    sentences.length,
  );
  const { tagger } = await openModel(loaded.path, settings);
  async function* batches() {
    try {
      yield* tagger.feedsOf(sentences, { batchSize: 1 });
    } finally {
      await tagger.close();
    }
  }
  return {
    calibrationData: batches(),
    calibrationMethod,
    percentile,
    onProgress: (samples: number) => terminal.progress.update(samples),
  };
}

function applied({ tensors, keptInFloat, warnings }: QuantizationReport): AppliedReport {
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
