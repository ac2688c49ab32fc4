import {
  type KeptInFloat,
  type OutputDrift,
  predictedBytes,
  type QuantizationPlan,
  sessionDrift,
  type TimeShares,
  timeShares,
} from "@nasty/compression";
import type { Audit } from "@nasty/runtime";
import { type BatchMates, batchMates, comparedSentences } from "@nasty/workflow/comparison/batch-mates";
import { spread } from "@nasty/workflow/texts/spread";
import { type FlippedWords, writeFlips } from "@nasty/workflow/comparison/write-flips";
import {
  type DriftCheck,
  type DriftJob,
  driftReference,
  judgeDrift,
} from "@nasty/workflow/drift/drift-check";
import { mappedOriginal } from "@nasty/workflow/drift/mapped-original";
import { driftSample } from "@nasty/workflow/drift/drift-sample";
import { GateError, InputError, UsageError } from "@nasty/workflow/errors";
import { explain } from "../explain.js";
import { choiceForText, choiceOf } from "@nasty/workflow/texts/label-choice";
import { type LoadedModel, loadForCompression, reasonOf } from "@nasty/workflow/models/load-model";
import {
  type CheckedOptions,
  checkOptions,
  type QuantizePaths,
} from "@nasty/workflow/quantization/checked-options";
import { calibrationReader } from "@nasty/workflow/quantization/calibration-text";
import {
  type Gated,
  type GateJob,
  type GateRequest,
  refusal,
  runGate,
} from "@nasty/workflow/quantization/gate";
import { writeReport } from "@nasty/workflow/report/html-report";
import {
  type AppliedReport,
  bytesBeside,
  planQuantization,
} from "@nasty/workflow/quantization/plan-quantization";
import type { QuantizationResult } from "@nasty/workflow/quantization/quantization-result";
import { planText, quantizationText } from "../quantization/quantization-text.js";
import { saturationAdvice } from "@nasty/workflow/quantization/saturation-advice";
import { measuredSensitivity } from "@nasty/workflow/quantization/sensitivity";
import { quantizationDrift } from "@nasty/workflow/quantization/quantization-drift";
import { releaseMemory } from "@nasty/workflow/quantization/release-memory";
import type { QuantizeSettings } from "@nasty/workflow/quantization/settings";
import { trialText, validationText, type Words } from "@nasty/workflow/quantization/trial-text";
import { auditWritten } from "@nasty/workflow/quantization/written-audit";
import { type Candidate, writeCandidate } from "@nasty/workflow/files/candidate";
import type { CommonOptions, Terminal } from "../terminal/console.js";

export interface QuantizeOptions extends CommonOptions, QuantizeSettings, QuantizePaths {
  readonly seed: number;
  readonly threads: number;
}

/** `nasty quantize`: plan, write beside the output, gate, load and audit what was written, then give it its name. */
export async function quantize(options: QuantizeOptions, terminal: Terminal): Promise<void> {
  if (options.dryRun === true && options.flips !== undefined) {
    throw new UsageError("quantize: --flips: expected no --dry-run, which tags nothing, got it");
  }
  const checked = await checkOptions(options);
  const made = await makeCandidate(options, checked, terminal);
  if (made === undefined) return;
  // The float weights are not needed any more; without this they would share the peak with the runtime's own copies.
  await releaseMemory();
  const { candidate } = made;
  try {
    const result = await audited(made, options, terminal);
    if (options.flips !== undefined && made.flipped !== undefined) {
      await writeFlips(options.flips, made.flipped);
    }
    if (result.output === null && result.gate !== null) {
      // Scripts read the figures of a refused model too.
      if (options.json) terminal.result(result, () => "");
      if (result.gate.unfinished !== null) await candidate.commitAs(result.gate.unfinished.best);
      throw new GateError(refusal(checked.model, result.gate));
    }
    if (options.report !== undefined) await writeReport(options.report, result);
    await candidate.commit();
    terminal.result(result, () => quantizationText(result));
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

interface Made {
  readonly candidate: Candidate;
  readonly report: AppliedReport;
  readonly base: Pick<
    QuantizationResult,
    "model" | "modelBytes" | "mode" | "method" | "gate" | "sensitivity"
  >;
  readonly timeShares: TimeShares;
  readonly remarks: readonly string[];
  /** What the gate found on the way; undefined without one. */
  readonly flipped: FlippedWords | undefined;
  readonly batchMates: BatchMates | undefined;
  /** Text to try the written model on. */
  readonly trial: Words;
  readonly drift: DriftJob;
}

/** Everything that needs the float model; undefined for a dry run, which ends here. */
async function makeCandidate(
  options: QuantizeOptions,
  { model, gate, output }: CheckedOptions,
  terminal: Terminal,
): Promise<Made | undefined> {
  const loaded = await loadForCompression(
    model,
    options.validation === undefined ? choiceOf(options) : choiceForText(options),
  );
  const remarks = remarksOn(loaded, gate, options);
  // Planning may write over the weights.
  const mapped = await mappedOriginal(loaded);
  const read = calibrationReader(options, terminal);
  const planned = await planQuantization(loaded, options, terminal, read);
  const { plan, summary } = planned;
  const labelled = await validationText(loaded, options);
  const trial = await trialText(options, read, labelled);
  const { threads, timeBudget } = options;
  const sensitivity =
    options.sensitivity === true
      ? await measuredSensitivity(
          loaded,
          planned,
          { threads, words: trial, labelled, timeBudget, scheme: options.scheme },
          terminal,
        )
      : null;
  if (options.dryRun) {
    const estimatedBytes = predictedBytes(planned.model, plan) + (await bytesBeside(loaded, options));
    terminal.result({ model, output: null, ...summary, estimatedBytes, plan, sensitivity }, () =>
      planText(plan, sensitivity),
    );
    return undefined;
  }
  const advice = await saturationAdvice(loaded, planned, options, read);
  const job = { loaded, planned, output, sensitivity };
  const made =
    gate === undefined
      ? await written(job, terminal)
      : await runGate(gate, { ...job, sentences: labelled ?? [] }, terminal);
  return {
    ...made,
    base: {
      model,
      modelBytes: loaded.modelBytes,
      ...summary,
      gate: made.gate,
      sensitivity: made.sensitivity,
    },
    timeShares: timeShares(planned.model, withoutKept(plan, made.report.keptInFloat)),
    remarks: [...remarks, ...advice],
    trial: loaded.tagger === undefined ? [] : trial,
    drift: quantizationDrift(
      loaded.path,
      { original: loaded.modelPath, mapped, sample: await driftSample(loaded, trial, options) },
      options,
    ),
  };
}

/** The plan as the gate left it. */
function withoutKept(plan: QuantizationPlan, kept: readonly KeptInFloat[]): QuantizationPlan {
  const nodes = new Set(kept.map(({ name }) => name));
  return { ...plan, tensors: plan.tensors.filter(({ sites }) => !sites.some(({ node }) => nodes.has(node))) };
}

/** Writes the plan's model, unjudged. */
async function written(
  { planned, loaded, output, sensitivity }: Omit<GateJob, "sentences">,
  { progress }: Terminal,
): Promise<Unjudged> {
  progress.start(`quantizing ${planned.plan.tensors.length} weights`);
  const { model, report } = await planned.apply(loaded);
  const candidate = await writeCandidate(output, model);
  progress.stop();
  return { candidate, report, gate: null, flipped: undefined, batchMates: undefined, sensitivity };
}

type Unjudged = Pick<Gated, "candidate" | "report" | "sensitivity"> & {
  readonly gate: null;
  readonly flipped: undefined;
  readonly batchMates: undefined;
};

/** Loads and audits the written file; `output` is null if the gate refused it. */
async function audited(
  { candidate, base, report, remarks, timeShares: shares, ...made }: Made,
  options: QuantizeOptions,
  { progress }: Terminal,
): Promise<QuantizationResult> {
  try {
    const isJudged = base.gate !== null && base.gate.target !== null;
    const { audit, drift } = await auditedDrift({ ...made.drift, isJudged }, candidate.path, progress);
    progress.stop();
    const mates = made.batchMates ?? (await triedInBatches(candidate.path, made.trial, options));
    return {
      model: base.model,
      output: base.gate?.passed === false ? null : await candidate.seal(),
      modelBytes: base.modelBytes,
      mode: base.mode,
      method: base.method,
      tensors: report.tensors,
      keptInFloat: report.keptInFloat,
      audit: audit && { ...audit, timeShares: shares },
      gate: base.gate,
      drift,
      batchMates: mates,
      sensitivity: base.sensitivity,
      warnings: [...new Set([...report.warnings, ...(audit?.warnings ?? []), ...remarks])],
    };
  } catch (error) {
    // The library names the file that it was given; the user knows it by the name it was to get.
    const { message } = explain(error);
    if (!(error instanceof Error) || !message.includes(candidate.path)) throw error;
    const renamed = new InputError(candidate.rename(message), { cause: error });
    throw (error as { kind?: unknown }).kind === "input" ? renamed : error;
  }
}

/** What the runtime executes, and how far it drifts: the session that is opened for the one runs the other. */
async function auditedDrift(
  job: DriftJob,
  path: string,
  progress: Terminal["progress"],
): Promise<{ readonly audit: Audit | null; readonly drift: DriftCheck }> {
  progress.start("running the original");
  const reference = await driftReference(job);
  progress.start("running the written file and auditing what the runtime executes");
  let outputs: readonly OutputDrift[] = [];
  const audit = await auditWritten(path, job.threads, async (session) => {
    if (reference !== undefined) outputs = await sessionDrift(reference, session);
  });
  return { audit, drift: await judgeDrift(job, reference, outputs, path) };
}

/** How much labels of the written model depend on what shares a run; null without text. */
async function triedInBatches(
  path: string,
  text: Words,
  { threads }: QuantizeOptions,
): Promise<BatchMates | null> {
  return text.length === 0 ? null : batchMates(path, spread(text, comparedSentences), { threads });
}

/** What to say about a model before anything is done to it. */
function remarksOn(
  loaded: LoadedModel,
  gate: GateRequest | undefined,
  { sensitivity }: QuantizeOptions,
): string[] {
  if (loaded.tagger !== undefined) return [...loaded.notes];
  if (gate !== undefined || sensitivity === true) {
    const use = gate === undefined ? "sensitivity is measured on text" : "the gate must tag";
    throw new InputError(
      `quantize: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it (${use}), got none${reasonOf(loaded)}; give the Hugging Face directory`,
    );
  }
  return [
    ...loaded.notes,
    "the model has no tagger (labels and tokenizer) in it or beside it: its size shrinks, its accuracy cannot be measured here",
  ];
}
