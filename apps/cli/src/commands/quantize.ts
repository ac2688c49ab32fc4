import { auditModel } from "@nasty/runtime";
import { GateError, InputError } from "../exit-codes.js";
import { explain } from "../explain.js";
import { type LoadedModel, loadModel } from "../inputs/load-model.js";
import { checkOptions, type QuantizePaths } from "../quantization/checked-options.js";
import { checkGate, type GateRequest, refusal } from "../quantization/gate.js";
import { writeReport } from "../quantization/html-report.js";
import { type AppliedReport, planQuantization } from "../quantization/plan-quantization.js";
import type { QuantizationResult } from "../quantization/quantization-result.js";
import { planText, quantizationText } from "../quantization/quantization-text.js";
import { releaseMemory } from "../quantization/release-memory.js";
import type { QuantizeSettings } from "../quantization/settings.js";
import { type Candidate, writeCandidate } from "../quantization/written-model.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";

export interface QuantizeOptions extends CommonOptions, QuantizeSettings, QuantizePaths {
  readonly seed: number;
  readonly threads: number;
}

/** `nasty quantize`: plan, write beside the output, load and audit what was written, gate it, then give it its name. */
export async function quantize(options: QuantizeOptions, terminal: Terminal): Promise<void> {
  const { model: modelPath, gate, output } = await checkOptions(options);
  let loaded: LoadedModel | undefined = await loadModel(modelPath);
  const { modelBytes } = loaded;
  const remarks = remarksOn(loaded, gate);
  const { plan, summary, apply } = await planQuantization(loaded, options, terminal);
  if (options.dryRun) {
    terminal.result({ model: modelPath, output: null, ...summary, plan }, () => planText(plan));
    return;
  }

  terminal.progress.start(`quantizing ${plan.tensors.length} weights`);
  const { model, report } = await apply(loaded);
  const candidate = await writeCandidate(output, model);
  terminal.progress.stop();
  // The float weights are not needed any more; without this they would share the peak with the runtime's own copies.
  loaded = undefined;
  releaseMemory();

  const base = { model: modelPath, modelBytes, ...summary };
  try {
    const result = await judged(candidate, { base, report, remarks, gate, options }, terminal);
    if (result.output === null && result.gate !== null) {
      // Scripts read the figures of a refused model too.
      if (options.json) terminal.result(result, () => "");
      throw new GateError(refusal(modelPath, result.gate));
    }
    if (options.report !== undefined) await writeReport(options.report, result);
    await candidate.commit();
    terminal.result(result, () => quantizationText(result));
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

interface Judgement {
  readonly base: Pick<QuantizationResult, "model" | "modelBytes" | "mode" | "method">;
  readonly report: AppliedReport;
  readonly remarks: readonly string[];
  readonly gate: GateRequest | undefined;
  readonly options: QuantizeOptions;
}

/** Loads, audits and gates the written file; `output` is null if the gate refuses it. */
async function judged(
  candidate: Candidate,
  { base, report, remarks, gate: request, options }: Judgement,
  { progress }: Terminal,
): Promise<QuantizationResult> {
  try {
    progress.start("loading the written file and auditing what the runtime executes");
    const audit = await auditModel(candidate.path, { threads: options.threads });
    progress.stop();
    const gate = request && (await checkGate(request, base.model, candidate.path, progress));
    const sealed = gate?.passed === false ? null : await candidate.seal();
    return {
      model: base.model,
      output: sealed,
      modelBytes: base.modelBytes,
      mode: base.mode,
      method: base.method,
      tensors: report.tensors,
      keptInFloat: report.keptInFloat,
      audit,
      gate: gate ?? null,
      warnings: [...new Set([...report.warnings, ...audit.warnings, ...remarks])],
    };
  } catch (error) {
    // The library names the file that it was given; the user knows it by the name it was to get.
    const { message } = explain(error);
    if (!(error instanceof Error) || !message.includes(candidate.path)) throw error;
    const renamed = new InputError(candidate.rename(message), { cause: error });
    throw (error as { kind?: unknown }).kind === "input" ? renamed : error;
  }
}

/** What to say about a model before anything is done to it. */
function remarksOn(loaded: LoadedModel, gate: GateRequest | undefined): string[] {
  if (loaded.tagger !== undefined) return [];
  if (gate !== undefined) {
    throw new InputError(
      `quantize: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it (the gate must tag), got none; give the Hugging Face directory`,
    );
  }
  return [
    "the model has no tagger (labels and tokenizer) in it or beside it: its size shrinks, its accuracy cannot be measured here",
  ];
}
