import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Audit, auditModel } from "@nasty/runtime";
import { GateError, InputError, UsageError } from "../exit-codes.js";
import { type LoadedModel, loadModel } from "../inputs/load-model.js";
import { checkGate, type Gate, type GateRequest } from "../quantization/gate.js";
import { writeReport } from "../quantization/html-report.js";
import { defaultOutput } from "../quantization/output-name.js";
import { planText, quantizationText } from "../quantization/quantization-text.js";
import { type Planned, planQuantization, type QuantizeSettings } from "../quantization/plan-quantization.js";
import { type Candidate, writeCandidate } from "../quantization/written-model.js";
import { releaseMemory } from "../quantization/release-memory.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";

export interface QuantizeOptions extends CommonOptions, QuantizeSettings {
  readonly model?: string;
  readonly targetAccuracyLoss?: number;
  readonly validation?: string;
  readonly compress?: "gzip" | "brotli";
  readonly report?: string;
  readonly dryRun?: boolean;
  readonly output?: string;
}

/** What `nasty quantize` found, as its JSON and its report have it. */
export interface QuantizationResult {
  readonly model: string;
  readonly output: { readonly path: string; readonly bytes: number; readonly sha256: string } | null;
  readonly modelBytes: number;
  readonly mode: string;
  readonly method: string;
  readonly tensors: readonly {
    name: string;
    op: string;
    dtype: string;
    granularity: string;
    sqnrDb: number | null;
  }[];
  readonly keptInFloat: readonly { name: string; op: string; reason: string }[];
  readonly audit: Audit;
  readonly gate: Gate | null;
  readonly warnings: readonly string[];
}

/** `nasty quantize`: plan, write beside the output, load and audit what was written, gate it, then give it its name. */
export async function quantize(options: QuantizeOptions, terminal: Terminal): Promise<void> {
  const { model: modelPath, gate, output } = await checkedOptions(options);
  let loaded: LoadedModel | undefined = await loadModel(modelPath);
  const { modelBytes, tagger } = loaded;
  if (gate !== undefined && tagger === undefined) {
    throw new InputError(
      `quantize: ${modelPath}: tagger: expected labels and a tokenizer in the file or beside it (the gate must tag), got none`,
    );
  }
  const planned = await planQuantization(loaded, options, terminal);
  if (options.dryRun) {
    terminal.result({ model: modelPath, output: null, ...planned.summary, plan: planned.plan }, () =>
      planText(planned.plan),
    );
    return;
  }

  const { candidate, applied } = await applyAndWrite(planned, loaded, output, terminal);
  loaded = undefined;
  // The float weights are not needed any more; without this they would share the peak with the runtime's own copies.
  releaseMemory();
  try {
    terminal.progress.start("loading the written file and auditing what the runtime executes");
    const audit = await auditModel(candidate.path, { threads: options.threads });
    terminal.progress.stop();
    const judged = gate && (await checkGate(gate, modelPath, candidate.path, terminal.progress));
    if (judged && !judged.passed) throw new GateError(gateMessage(judged, modelPath));
    const written = await candidate.commit();
    const result: QuantizationResult = {
      model: modelPath,
      output: written,
      modelBytes,
      ...planned.summary,
      tensors: applied.tensors,
      keptInFloat: applied.keptInFloat,
      audit,
      gate: judged ?? null,
      warnings: [...new Set([...applied.warnings, ...audit.warnings])],
    };
    if (options.report !== undefined) await writeReport(options.report, result);
    terminal.result(result, () => quantizationText(result));
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

interface Checked {
  readonly model: string;
  readonly output: string;
  readonly gate: GateRequest | undefined;
}

async function checkedOptions(options: QuantizeOptions): Promise<Checked> {
  const { model, mode, method, compress, targetAccuracyLoss, validation, threads, seed } = options;
  if (model === undefined)
    throw new UsageError("quantize: --model: expected a model file or directory, got none");
  if (mode === "static" && options.calibration.length === 0 && options.calibrationTable === undefined) {
    throw new UsageError(
      "quantize: --mode static: expected --calibration FILE (100 to 1000 typical sentences), got none",
    );
  }
  if (mode !== "static" && options.calibration.length > 0 && mode !== undefined) {
    throw new UsageError(
      `quantize: --mode ${mode}: expected no --calibration (it would not be used), got one; use --mode static`,
    );
  }
  if (targetAccuracyLoss !== undefined && validation === undefined) {
    throw new UsageError(
      "quantize: --target-accuracy-loss: expected --validation FILE to measure the loss on, got none",
    );
  }
  if (targetAccuracyLoss === undefined && validation !== undefined) {
    throw new UsageError("quantize: --validation: expected --target-accuracy-loss to judge by, got none");
  }
  const treatment = {
    mode: mode ?? (options.calibration.length > 0 ? "static" : "dynamic"),
    method,
  } as const;
  let output = resolve(options.output ?? defaultOutput(model, treatment));
  const suffix = compress === "gzip" ? ".gz" : compress === "brotli" ? ".br" : "";
  if (!output.endsWith(suffix)) output += suffix;
  await checkWritable(output);
  if (output === resolve(model)) {
    throw new UsageError(`quantize: --output: expected another file than the model, got ${output}`);
  }
  const gate =
    targetAccuracyLoss === undefined || validation === undefined
      ? undefined
      : { target: targetAccuracyLoss, validation, threads, seed };
  return { model, output, gate };
}

/** Fails before the work, not after it. */
async function checkWritable(output: string): Promise<void> {
  const existing = await stat(output).catch(() => undefined);
  if (existing?.isDirectory())
    throw new InputError(`quantize: --output ${output}: expected a file, got a folder; name the file`);
  try {
    await access(dirname(output), constants.W_OK);
  } catch {
    throw new InputError(
      `quantize: --output ${output}: expected a folder that exists and can be written to, got one that cannot; give another --output`,
    );
  }
}

async function applyAndWrite(
  planned: Planned,
  loaded: LoadedModel,
  output: string,
  terminal: Terminal,
): Promise<{ candidate: Candidate; applied: Awaited<ReturnType<Planned["apply"]>>["report"] }> {
  terminal.progress.start(`quantizing ${planned.plan.tensors.length} weights`);
  const { model, report } = await planned.apply(loaded);
  const candidate = await writeCandidate(output, model);
  terminal.progress.stop();
  return { candidate, applied: report };
}

function gateMessage(gate: Gate, model: string): string {
  const percent = (value: number): string => (value * 100).toFixed(2);
  return (
    `quantize: ${model}: accuracy gate: expected a loss of at most ${percent(gate.target)} points of ${gate.metric}, ` +
    `got ${percent(gate.loss)} (${percent(gate.original)} -> ${percent(gate.quantized)}); nothing was written. ` +
    "Try --mode dynamic, more calibration text, --asymmetric, or --skip-layers for the layers with the lowest signal-to-noise ratio"
  );
}
