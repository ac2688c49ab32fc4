import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { withHistory } from "@nasty/compression";
import type { WrittenFile } from "@nasty/formats/archive/node";
import type { ModelVariant } from "@nasty/formats/hf";
import { type ExportOptions as TaggerExport, exportTagger } from "@nasty/taggers/node";
import { checkDrift, type DriftCheck, leastCosineOf } from "../drift/drift-check.js";
import { driftSample } from "../drift/drift-sample.js";
import { UsageError } from "../errors.js";
import type { ModelLike } from "../models/model-like.js";
import { exportOperation } from "../operations/files.js";
import { type GivenBeside, perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { modelFor, type TargetName } from "../targets/target.js";
import { choiceOf } from "../texts/label-choice.js";
import { versions } from "../versions.js";
import type { ModuleExport } from "./module/export-module.js";

export type { ModuleExport };

type ExportSettings = SettingsOf<typeof exportOperation.options>;

/** What was written: a Hugging Face directory, or with the target `module` an ES module. */
export type ExportResult = DirectoryExport | ModuleExport;

/** A Hugging Face directory that was written. */
export interface DirectoryExport {
  readonly kind: "directory";
  /** The models as they were named. */
  readonly models: readonly string[];
  readonly output: {
    /** Of the directory, absolute. */
    readonly path: string;
    /** Of all files that were written. */
    readonly bytes: number;
    /** By their path inside the directory. */
    readonly files: Readonly<Record<string, WrittenFile>>;
  };
  /** The family of the model, such as `bert`. */
  readonly modelType: string;
  readonly labels: readonly string[];
  /** What was written: `fp32`, `q8`, … */
  readonly variants: readonly ModelVariant[];
  /** How far each variant's outputs are from those of the file that it was made of. */
  readonly drift: Readonly<Record<string, DriftCheck>>;
  /** Of the directory: a model for every operation. */
  readonly path: string;
  readonly bytes: number;
  /** The written files compute what their sources do: anything else is an error. */
  readonly passed: true;
}

type ExportOptions = GivenBeside<typeof exportOperation.options, "models">;

/**
 * Writes one or more models as one Hugging Face directory that transformers.js loads offline; or, with the target
 * `module`, a tagger as one ES module without imports, with its types and the kernels of its engine beside it.
 *
 * @param models one model or several of the same labels and tokenizer, such as a float32 and an int8 one
 * @throws TaggerError for models that cannot stand in one directory or name no family; UsageError for unknown or wrong
 *   options; InputError for a form that the target does not run; GateError for a written file with outputs unlike its
 *   source's, or a module with other labels. The folder is then as it was.
 * @example
 * ```ts
 * await exportModel(["models/pos", "pos_int8.onnx"], { output: "dist/pos" }); // onnx/model.onnx, onnx/model_quantized.onnx
 * await exportModel("pos_int8.onnx", { target: "module", output: "dist/pos.js" }); // pos.js, pos.d.ts, pos.wasm
 * ```
 */
export function exportModel(
  models: ModelLike | readonly ModelLike[],
  options: ExportOptions & { readonly target: "module" },
): Promise<ModuleExport>;
export function exportModel(
  models: ModelLike | readonly ModelLike[],
  options: ExportOptions & { readonly target?: TargetName | undefined },
): Promise<DirectoryExport>;
export function exportModel(
  models: ModelLike | readonly ModelLike[],
  options: ExportOptions,
): Promise<ExportResult>;
export function exportModel(
  models: ModelLike | readonly ModelLike[],
  options: ExportOptions,
): Promise<ExportResult> {
  const all = Array.isArray(models) ? models : [models];
  return perform(exportOperation, { ...options, models: all }, runExport);
}

/** {@link exportModel} from checked settings. */
export async function runExport(settings: ExportSettings, reporter: Reporter): Promise<ExportResult> {
  const { target } = settings;
  if (target !== "module") return runDirectoryExport(settings, target, reporter);
  const { runModuleExport } = await import("./module/export-module.js");
  return runModuleExport(settings, reporter);
}

async function runDirectoryExport(
  settings: ExportSettings,
  target: TargetName | undefined,
  reporter: Reporter,
): Promise<DirectoryExport> {
  const { model: models, dtype, modelType } = settings;
  const { progress, signal } = reporter;
  if (models.length === 0) throw new UsageError("export: --model: expected a file or directory, got none");
  if (dtype !== undefined && models.length > 1) {
    throw new UsageError(
      `export: --dtype ${dtype}: expected one --model with it, got ${models.length}; each is named by its weights`,
    );
  }
  const path = resolve(settings.output);
  progress.start("writing and opening the directory");
  const drift: Record<string, DriftCheck> = {};
  const { files, ...exported } = await exportTagger(models, path, {
    ...choiceOf(settings),
    ...(dtype === undefined ? {} : { dtype }),
    ...(modelType === undefined ? {} : { modelType }),
    record(model, { sha256, variant, modelPath }) {
      signal?.throwIfAborted();
      const written = target === undefined ? model : modelFor(target, model, modelPath);
      return withHistory(written, {
        step: "export",
        options: { dtype: variant, ...(target !== undefined && { target }) },
        inputSha256: sha256,
        versions: versions(),
      });
    },
    async check(staged, source) {
      signal?.throwIfAborted();
      drift[source.variant] = await driftOf(staged, source, settings);
      signal?.throwIfAborted();
    },
  });
  progress.stop();
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
  return {
    kind: "directory",
    models,
    output: { path, bytes, files: Object.fromEntries(files) },
    ...exported,
    drift,
    path,
    bytes,
    passed: true,
  };
}

/** Runs a written file beside the file, or the weights, that it was made of. */
async function driftOf(
  ...[staged, source, { threads, minCosine }]: [
    ...Parameters<NonNullable<TaggerExport["check"]>>,
    Pick<ExportSettings, "threads" | "minCosine">,
  ]
): Promise<DriftCheck> {
  const { model, modelPath, variant, settings } = source;
  const { size: modelBytes } = await stat(staged.modelPath);
  const sample = await driftSample({ modelBytes, model, tagger: settings }, []);
  return checkDrift(
    {
      operation: "export",
      path: modelPath,
      original: modelPath.endsWith(".safetensors") ? model : modelPath,
      likeness: "the source",
      sample,
      minCosine: minCosine ?? leastCosineOf[variant],
      threads,
      advice: () => "export the model again, or lower --min-cosine if the difference is acceptable",
    },
    staged.modelPath,
  );
}
