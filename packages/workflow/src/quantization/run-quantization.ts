import {
  predictedBytes,
  type QuantizationPlan,
  sessionDrift,
  type TimeShares,
  timeShares,
} from "@nasty/compression";
import { compressionOfName } from "@nasty/formats/archive";
import { batchMates, comparedSentences } from "../comparison/batch-mates.js";
import { type FlippedWords, writeFlips } from "../comparison/write-flips.js";
import { type DriftJob, judgeDrift } from "../drift/drift-check.js";
import { driftSampleOf } from "../drift/drift-sample.js";
import { mappedOriginal } from "../drift/mapped-original.js";
import { InputError } from "../errors.js";
import { type Candidate, writeCandidate } from "../files/candidate.js";
import { type Labelled } from "../kinds/kind.js";
import { type LoadedModel, loadForCompression, reasonOf } from "../models/load-model.js";
import { quantizationHtml } from "../report/html/quantization-html.js";
import { writeReport } from "../report/html/write-report.js";
import { formatBytes } from "../report/format.js";
import type { Reporter } from "../reporter.js";
import { choiceForText, choiceOf } from "../texts/label-choice.js";
import { parseSource } from "../texts/calibration-sources.js";
import { isFeedFile } from "../feeds/read-feeds.js";
import { spread } from "../texts/spread.js";
import { type ActivationRange, activationRanges } from "./activation-ranges.js";
import { type FedModel, fed } from "./calibration-batches.js";
import { calibrationReader } from "./calibration-text.js";
import { type CheckedOptions, checkOptions, ownGate } from "./checked-options.js";
import { type GateJob, runGate } from "./gate.js";
import { gateSamples, judgeOf } from "./gate-judge.js";
import { type OpenWritten, openWritten } from "./open-written.js";
import { type Original, originalOf } from "./original.js";
import { bytesBeside, isOwn, planQuantization } from "./plan-quantization.js";
import { type AppliedReport, type Planned } from "./planned.js";
import { quantizationDrift } from "./quantization-drift.js";
import type { QuantizationResult } from "./quantization-result.js";
import { checkPlanFits, planSettings, type QuantizePlan, readsStandardInput } from "./quantize-plan.js";
import { releaseMemory } from "../models/release-memory.js";
import { saturationAdvice } from "./saturation-advice.js";
import { measuredSensitivity, type SensitivityRow } from "./sensitivity.js";
import type { GivenSettings, QuantizeSettings } from "./settings.js";
import { type Samples, trialText, validationText } from "./trial-text.js";

// What printing a result takes.
export type { GivenSettings } from "./settings.js";
export { type Gate, refusal } from "./gate.js";
export { modeOptions } from "./mode-options.js";
export { granularityText } from "./planned.js";
export type { QuantizationResult } from "./quantization-result.js";
export { lossText, noiseText, type SensitivityRow } from "./sensitivity.js";

/**
 * Plans, writes beside the output, gates, audits and checks what was written, then gives it its name: what `quantize`
 * does, from checked settings.
 *
 * The model is read once. The session that measures ranges is asked all else that is asked of the original, and each
 * written file is run in one.
 *
 * @param plan made before, instead of planning now
 * @returns `output` is null where the gate refused the model: nothing was written then but what `gate.unfinished` names
 * @throws GateError for a file whose outputs have little to do with the original's
 */
export async function runQuantization(
  given: GivenSettings,
  reporter: Reporter,
  plan?: QuantizePlan,
): Promise<QuantizationResult> {
  const made = await makeCandidate(given, reporter, plan);
  // The float weights are not needed any more; without this they would share the peak with the runtime's own copies.
  await releaseMemory({ expectedBytes: made.ownBytes });
  const { candidate, settings, flipped, written } = made;
  try {
    const result = await examined(made, reporter);
    if (settings.flips !== undefined && flipped !== undefined) await writeFlips(settings.flips, flipped);
    if (settings.report !== undefined) {
      const { activations, flipped } = made;
      await writeReport(settings.report, await quantizationHtml({ result, settings, activations, flipped }));
    }
    if (result.output === null) {
      const best = result.gate?.unfinished?.best;
      await (best === undefined ? candidate.discard() : candidate.commitAs(best));
      return result;
    }
    await candidate.commit();
    return result;
  } catch (error) {
    await written.close();
    await candidate.discard();
    throw error;
  }
}

/** What `quantize.plan` does, from checked settings: everything up to the plan; nothing is written. */
export async function runPlan(given: GivenSettings, reporter: Reporter): Promise<QuantizePlan> {
  const checked = await checkOptions({ ...given, dryRun: true });
  const settings = { ...given, model: checked.model };
  const { gate } = checked;
  const found = await loadedFor(settings, checked);
  remarksOn(found, gate, settings);
  const loaded = await fed(found, settings);
  const read = calibrationReader(loaded.kind, settings, reporter);
  const planned = await planQuantization(loaded, { settings, read }, reporter);
  const isRanked = settings.sensitivity === true;
  const labelled = isRanked ? await labelledText(loaded, settings) : undefined;
  const trial = isRanked ? await trialText(loaded, settings, read, labelled) : [];
  const sensitivity = isRanked
    ? await ranked(settings, { loaded, planned, labelled, trial }, reporter)
    : null;
  const { plan, uncorrected, summary, model, options } = planned;
  return {
    schemaVersion: 1,
    model: { path: checked.model, sha256: await loaded.sha256() },
    ...summary,
    plan,
    ...(uncorrected !== undefined && { uncorrected }),
    estimatedBytes: predictedBytes(model, plan) + (await bytesBeside(loaded, settings)),
    sensitivity,
    settings: planSettings(settings, summary.mode),
    provenance: options.provenance ?? {},
  };
}

interface Made {
  readonly settings: QuantizeSettings;
  readonly candidate: Candidate;
  readonly written: OpenWritten;
  readonly original: Original;
  readonly report: AppliedReport;
  readonly base: Pick<
    QuantizationResult,
    "model" | "modelBytes" | "mode" | "method" | "gate" | "sensitivity"
  > & {
    /** Undefined for a file that was compressed: what is written is not. */
    readonly unpackedBytes: number | undefined;
  };
  readonly timeShares: TimeShares;
  /** Size of what was read for this alone. */
  readonly ownBytes: number;
  readonly remarks: readonly string[];
  /** What the gate found on the way; undefined without one. */
  readonly flipped: FlippedWords | undefined;
  /** Of static mode, for the report. */
  readonly activations: readonly ActivationRange[];
  /** Text to tag in batches too, and its labels one by one where they are known. */
  readonly together: { readonly sentences: Labels; readonly alone?: Labels };
  readonly drift: DriftJob;
}

type Labels = readonly (readonly string[])[];

/** Everything that needs the float model. */
async function makeCandidate(
  given: GivenSettings,
  reporter: Reporter,
  plan: QuantizePlan | undefined,
): Promise<Made> {
  const checked = await checkOptions(given, { isPlanned: plan !== undefined });
  const settings = { ...given, model: checked.model };
  const { output } = checked;
  const found = await loadedFor(settings, checked);
  if (plan !== undefined) await checkPlanFits(plan, found);
  const remarks = remarksOn(found, checked.gate, settings);
  const loaded = await fed(found, settings);
  const gate = checked.gate ?? ownGate(loaded, settings);
  // Planning may write over the weights.
  const mapped = await mappedOriginal(loaded);
  const read = calibrationReader(loaded.kind, settings, reporter);
  const gated = gate && (await gateSamples(gate, loaded, settings, read));
  const labelled = gate?.measure === "labels" ? gated?.samples : await labelledText(loaded, settings);
  const judged = labelled ?? gated?.samples;
  const isReadAgain = plan === undefined || !readsStandardInput(settings);
  const trial = isReadAgain ? await trialText(loaded, settings, read, judged) : samplesOf(loaded, judged);
  const drift = quantizationDrift(
    loaded.path,
    { original: loaded.modelPath, mapped, sample: await driftSampleOf(loaded, trial) },
    settings,
  );
  const judge = gate && gated && judgeOf(gate, gated, loaded, reporter);
  const original = originalOf(loaded, { drift, judge, options: gate ?? settings });
  const planned = await planQuantization(
    loaded,
    { settings, read, made: plan, use: original.askIn },
    reporter,
  );
  const sensitivity =
    settings.sensitivity === true
      ? await ranked(settings, { loaded, planned, labelled, trial }, reporter)
      : (plan?.sensitivity ?? null);
  const advice = isReadAgain ? await saturationAdvice(loaded, planned, settings, read) : [];
  const job = { loaded, planned, output, sensitivity };
  const runsOften = trial.length > 0;
  const made =
    gate === undefined || gated === undefined || judge === undefined
      ? await unjudged(job, { threads: settings.threads, runsOften }, reporter)
      : await runGate(gate, { ...job, given: gated, judge, original }, reporter);
  return {
    ...made,
    settings,
    original,
    base: {
      model: checked.model,
      modelBytes: loaded.modelBytes,
      unpackedBytes: compressionOfName(loaded.modelPath) === undefined ? loaded.modelBytes : undefined,
      ...planned.summary,
      gate: made.gate,
      sensitivity: made.sensitivity,
    },
    activations: activationRanges(planned.plan, planned.measured),
    ownBytes: isOwn(loaded) ? loaded.modelBytes : 0,
    timeShares: timeShares(planned.model, withoutKept(planned.plan, made.report.keptInFloat)),
    remarks: [...remarks, ...advice],
    together: together(loaded, made.gate === null ? trial : samplesOf(loaded, gated?.samples), made.alone),
    drift,
  };
}

function loadedFor(settings: QuantizeSettings, { loaded }: CheckedOptions): Promise<LoadedModel> {
  const choice = settings.validation === undefined ? choiceOf(settings) : choiceForText(settings);
  return loadForCompression(settings.model, choice, loaded);
}

const samplesOf = ({ kind }: FedModel, labelled: readonly Labelled[] | undefined): Samples =>
  (labelled ?? []).map((one) => kind.sampleOf(one));

/** The labelled text that weights are ranked by; undefined where it is one without labels. */
const labelledText = async (loaded: FedModel, settings: QuantizeSettings) =>
  settings.maxDrift === undefined ? validationText(loaded, settings) : undefined;

function together({ kind }: FedModel, text: Samples, alone: Labels | undefined): Made["together"] {
  if (kind.name !== "token-classification" || text.length === 0) return { sentences: [] };
  const sentences = spread(text, comparedSentences) as readonly (readonly string[])[];
  return { sentences, ...(alone !== undefined && { alone }) };
}

interface RankedJob {
  readonly loaded: FedModel;
  readonly planned: Planned;
  readonly labelled: readonly Labelled[] | undefined;
  readonly trial: Samples;
}

function ranked(
  { threads, timeBudget, scheme }: QuantizeSettings,
  { loaded, planned, labelled, trial }: RankedJob,
  reporter: Reporter,
): Promise<readonly SensitivityRow[]> {
  const request = { threads, samples: trial, labelled, timeBudget, scheme };
  return measuredSensitivity(loaded, planned, request, reporter);
}

/** The plan as the gate left it. */
function withoutKept(plan: QuantizationPlan, kept: AppliedReport["keptInFloat"]): QuantizationPlan {
  const nodes = new Set(kept.map(({ name }) => name));
  return { ...plan, tensors: plan.tensors.filter(({ sites }) => !sites.some(({ node }) => nodes.has(node))) };
}

/** Writes the plan's model, unjudged. */
async function unjudged(
  { planned, loaded, output, sensitivity }: Pick<GateJob, "planned" | "loaded" | "output" | "sensitivity">,
  options: { readonly threads: number; readonly runsOften: boolean },
  { progress }: Reporter,
) {
  progress.start(`quantizing ${planned.plan.tensors.length} weights`);
  const { model, report } = await planned.apply(loaded);
  const candidate = await writeCandidate(output, model);
  progress.stop();
  const written = openWritten(candidate.path, options);
  return { candidate, written, report, gate: null, flipped: undefined, alone: undefined, sensitivity };
}

/** Runs, tags with and audits the written file in its session; `output` is null if the gate refused it. */
async function examined(
  { candidate, written, original, base, report, remarks, ...made }: Made,
  { progress }: Reporter,
): Promise<QuantizationResult> {
  try {
    const isJudged = base.gate !== null && base.gate.target !== null;
    progress.start("running the original");
    const reference = await original.reference();
    progress.start("running the written file and auditing what the runtime executes");
    // A file that cannot be opened is none, whatever there is to run it on.
    const session = await written.session();
    const outputs = reference === undefined ? [] : await sessionDrift(reference, session);
    const drift = await judgeDrift({ ...made.drift, isJudged }, reference, outputs, candidate.path);
    const { sentences, alone } = made.together;
    const mates = sentences.length === 0 ? null : await batchMates(await written.tagger(), sentences, alone);
    const audit = await written.audit();
    await written.close();
    progress.stop();
    const output = base.gate?.passed === false ? null : await candidate.seal();
    return {
      model: base.model,
      output,
      modelBytes: base.modelBytes,
      mode: base.mode,
      method: base.method,
      tensors: report.tensors,
      keptInFloat: report.keptInFloat,
      audit: audit && { ...audit, timeShares: made.timeShares },
      gate: base.gate,
      drift,
      batchMates: mates,
      sensitivity: base.sensitivity,
      warnings: [
        ...new Set([
          ...report.warnings,
          ...(audit?.warnings ?? []),
          ...remarks,
          ...sizeRemarks(base.unpackedBytes, output),
        ]),
      ],
    };
  } catch (error) {
    // A package names the file that it was given; the user knows it by the name it was to get.
    if (!(error instanceof Error) || !error.message.includes(candidate.path)) throw error;
    if (!("kind" in error) || error.kind !== "input") throw error;
    throw new InputError(candidate.rename(error.message), { cause: error });
  }
}

/** What to say of a file that did not become smaller: beside few weights, what a mode adds weighs more. */
function sizeRemarks(before: number | undefined, written: { readonly bytes: number } | null): string[] {
  if (before === undefined || written === null || written.bytes < before) return [];
  return [
    `the file is not smaller than its original (${formatBytes(before)} -> ${formatBytes(written.bytes)}): what the mode adds outweighs what it saves; try another mode, or keep the original`,
  ];
}

/** What to say about a model before anything is done to it. */
function remarksOn(loaded: LoadedModel, gate: CheckedOptions["gate"], settings: QuantizeSettings): string[] {
  if (loaded.tagger !== undefined || loaded.text !== undefined) return [...loaded.notes];
  const { calibration, validation, sensitivity } = settings;
  const files = [...calibration.map((source) => parseSource(source).path), ...[validation ?? []].flat()];
  if (files.length > 0 && files.every((path) => path === "-" || isFeedFile(path))) return [...loaded.notes];
  if (files.length === 0 && gate?.measure === "agreement") return [...loaded.notes];
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
