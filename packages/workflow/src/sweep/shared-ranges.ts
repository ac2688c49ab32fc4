import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type CalibrationTable,
  collectTables,
  type MethodOptions,
  parseCalibrationTable,
  serializeCalibrationTable,
} from "@nasty/calibration";
import { CompressionError, int8 } from "@nasty/compression";
import type { Artifact, RecipeStep } from "@nasty/compression/pipeline";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import { sha256OfFile } from "../files/file-hash.js";
import { loadForCompression } from "../models/load-model.js";
import { fed, type FedModel } from "../quantization/calibration-batches.js";
import { calibrationReader } from "../quantization/calibration-text.js";
import { needsText } from "../quantization/needs-text.js";
import { modeOf, type QuantizeSettings } from "../quantization/settings.js";
import { staticOptions } from "../quantization/weight-options.js";
import { hashOf } from "../recipes/artifact.js";
import type { RecipeContext } from "../recipes/steps/step-kind.js";
import type { Reporter } from "../reporter.js";
import { parseSource } from "../texts/calibration-sources.js";
import { choiceForText } from "../texts/label-choice.js";
import { versions } from "../versions.js";
import { sweepStep } from "./sweep-steps.js";

/** A recipe's last step, and the model that it works on. */
export interface LastStep {
  readonly step: RecipeStep;
  readonly input: Artifact;
}

/** Options that are about measuring, and are done with once the ranges are there. */
const measuring: ReadonlySet<string> = new Set([
  "calibration",
  "method",
  "percentile",
  "limit",
  "one-per-line",
]);

/**
 * The same steps with ranges that were measured for all of them at once, in tables in `folder`: on every model that
 * recipes begin with, and every choice of calibration text, the float model runs over the text once, whatever the
 * methods. Tables of an earlier run are used again.
 *
 * A step that needs the text itself (error compensation, migrated outliers, corrected biases) is left as it is, and so
 * is one whose layers cannot be found: what is wrong with it is said where it is carried out.
 */
export async function withSharedRanges<T extends LastStep>(
  lasts: readonly T[],
  context: RecipeContext,
  folder: string,
): Promise<T[]> {
  const groups = new Map<string, Sharing<T>[]>();
  for (const last of lasts) {
    const settings = settingsOf(last, context);
    if (settings === undefined) continue;
    const { calibration, limit, onePerLine } = settings;
    const key = JSON.stringify([last.input.sha256, calibration, limit, onePerLine]);
    groups.set(key, [...(groups.get(key) ?? []), { last, settings }]);
  }
  const changed = new Map<T, T>();
  for (const group of groups.values()) {
    for (const [last, table] of await tablesOf(group, context, folder))
      changed.set(last, withTable(last, table));
  }
  return lasts.map((last) => changed.get(last) ?? last);
}

interface Sharing<T> {
  readonly last: T;
  readonly settings: QuantizeSettings;
}

/** Settings of a step whose ranges are measured on calibration text, and nothing else is. */
function settingsOf({ step, input }: LastStep, context: RecipeContext): QuantizeSettings | undefined {
  if (step.kind !== "quantize") return undefined;
  const settings = sweepStep(step.kind).settingsOf?.(step, input.path, context) as QuantizeSettings;
  const isMeasured = modeOf(settings) === "static" && settings.calibration.length > 0;
  return isMeasured && !needsText(settings) ? settings : undefined;
}

function withTable<T extends LastStep>(last: T, table: string): T {
  const kept = Object.entries(last.step.options).filter(([name]) => !measuring.has(name));
  const options = { ...Object.fromEntries(kept), mode: "static", "calibration-table": table };
  return { ...last, step: { ...last.step, options } };
}

/** Measures one group, or finds what was measured before. */
async function tablesOf<T extends LastStep>(
  group: readonly Sharing<T>[],
  context: RecipeContext,
  folder: string,
): Promise<ReadonlyMap<T, string>> {
  const [{ settings, last }] = group as [Sharing<T>, ...Sharing<T>[]];
  const loaded = await fed(
    await loadForCompression(last.input.path, choiceForText(context.choice)),
    settings,
  );
  const names = new Set<string>();
  const measured: Sharing<T>[] = [];
  for (const one of group) {
    const own = activationsOf(loaded, one.settings);
    if (own === undefined) continue;
    for (const name of own) names.add(name);
    measured.push(one);
  }
  if (names.size === 0) return new Map();
  const hash = await measurementHash(last.input, settings, [...names].sort());
  const wanted = new Map<string, MethodOptions>();
  const tables = new Map<T, string>();
  for (const one of measured) {
    const method = methodOf(one.settings);
    const path = join(folder, `ranges-${hashOf([hash, JSON.stringify(method)]).slice(0, 16)}.json`);
    wanted.set(path, method);
    tables.set(one.last, path);
  }
  const missing: string[] = [];
  for (const path of wanted.keys()) if (!(await isTable(path))) missing.push(path);
  if (missing.length > 0) {
    const methods = missing.map((path) => wanted.get(path) as MethodOptions);
    const found = await measure(loaded, { settings, names: [...names], methods }, context.reporter);
    for (const [at, table] of found.entries()) {
      await writeFileAtomic(missing[at] as string, [Buffer.from(serializeCalibrationTable(table))]);
    }
  }
  return tables;
}

function activationsOf({ model }: FedModel, settings: QuantizeSettings): readonly string[] | undefined {
  try {
    return int8.activations(model, staticOptions(settings));
  } catch (error) {
    if (error instanceof CompressionError) return undefined;
    throw error;
  }
}

function methodOf({ method = "minmax", percentile, activations }: QuantizeSettings): MethodOptions {
  return {
    method,
    ...(percentile !== undefined && { percentile }),
    scheme: { dtype: "uint8", symmetric: activations === "symmetric" },
  };
}

/** What ranges depend on beside the method. */
async function measurementHash(
  { sha256 }: Artifact,
  { calibration, limit, onePerLine, seed, inputFormat }: QuantizeSettings,
  names: readonly string[],
): Promise<string> {
  const texts: string[] = [];
  for (const source of calibration) {
    const { path, count } = parseSource(source);
    texts.push(await sha256OfFile(path), String(count ?? "all"));
  }
  const options = { limit, onePerLine, seed, inputFormat, versions: versions() };
  return hashOf([sha256, ...texts, JSON.stringify(options), ...names]);
}

async function isTable(path: string): Promise<boolean> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return false;
  try {
    parseCalibrationTable(text);
    return true;
  } catch {
    return false;
  }
}

interface Measuring {
  readonly settings: QuantizeSettings;
  readonly names: readonly string[];
  readonly methods: readonly MethodOptions[];
}

async function measure(
  { kind, model }: FedModel,
  { settings, names, methods }: Measuring,
  reporter: Reporter,
): Promise<CalibrationTable[]> {
  const { samples, warnings } = await calibrationReader(kind, settings, reporter)();
  for (const warning of warnings) reporter.note(warning);
  const { progress } = reporter;
  const named = [...new Set(methods.map(({ method }) => method))].join(", ");
  progress.start(`calibrating on ${samples.length} ${kind.noun} for all recipes (${named})`, samples.length);
  try {
    return await collectTables(model, names, kind.feedsOf(samples), {
      methods,
      threads: settings.threads,
      onProgress: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
}
