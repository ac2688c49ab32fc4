import { type GateResult, gate } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import { comparedSentences } from "../comparison/batch-mates.js";
import type { PairedFigures } from "../comparison/paired-figures.js";
import { spread } from "../texts/spread.js";
import type { FlippedWords } from "../comparison/write-flips.js";
import type { Against, AgreementFigures, Loss, Verdict } from "../kinds/kind.js";
import type { OpenModelOptions } from "../models/open-tagger.js";
import { nameOf } from "../texts/text-form.js";
import type { Reporter } from "../reporter.js";
import type { LabellingDocument } from "../report/labelling-text.js";
import type { FedModel } from "./calibration-batches.js";
import { gateRecord } from "./gate-record.js";
import { type OpenWritten, openWritten } from "./open-written.js";
import type { Judge, Original } from "./original.js";
import type { AppliedReport, Planned } from "./planned.js";
import type { GateSamples } from "./trial-text.js";
import { measuredSensitivity, type SensitivityRow } from "./sensitivity.js";
import { type Candidate, writeCandidate } from "../files/candidate.js";

export interface GateRequest extends OpenModelOptions {
  /** What may be lost: the metric on labels, or the agreement with the original. */
  readonly measure: "labels" | "agreement";
  /** Largest loss that passes, in units of the metric: 0.01 is one point; undefined if the loss is only measured. */
  readonly target: number | undefined;
  /** Leave sensitive weights in float if the loss is too large. */
  readonly fallback: boolean;
  /** Seconds after which no further attempt is begun. */
  readonly timeBudget?: number;
  readonly seed: number;
}

/** What the gate measured on the written file. */
export interface Gate extends PairedFigures {
  readonly original: number;
  readonly quantized: number;
  /** Null if the loss was only measured. */
  readonly target: number | null;
  readonly passed: boolean;
  /** Weights left in float to pass. */
  readonly keptInFloat: readonly string[];
  /** What the labels of the model and of the text were taken for; null where there are none of words. */
  readonly labelling: LabellingDocument | null;
  readonly goldLabelling: LabellingDocument | null;
  /** Files that were written and evaluated, in this run and the ones before it. */
  readonly attempts: number;
  /** Where the search can go on, and the best model so far; null unless the time was up. */
  readonly unfinished: { readonly record: string; readonly best: string } | null;
  /** What the agreement with the original is measured in; only where it is judged by. */
  readonly agreementOf?: string;
  /** How alike the answers are to the original's; of models that are no taggers, and where it is judged by. */
  readonly agreement?: AgreementFigures;
}

/** A judged candidate that stands on the disk under its temporary name. */
export interface Gated {
  readonly gate: Gate;
  readonly candidate: Candidate;
  /** The candidate, open as it was judged. */
  readonly written: OpenWritten;
  readonly report: AppliedReport;
  readonly flipped: FlippedWords;
  /** Labels of the sentences that are tagged in batches too; undefined of models that are no taggers. */
  readonly alone: readonly (readonly string[])[] | undefined;
  /** What the search ranked weights by; null if there was none. */
  readonly sensitivity: readonly SensitivityRow[] | null;
}

/** What the gate judges, and what is known about it. */
export interface GateJob {
  readonly loaded: FedModel;
  readonly planned: Planned;
  readonly output: string;
  readonly given: GateSamples;
  readonly judge: Judge;
  readonly original: Original;
  /** Measured before, if it was asked for. */
  readonly sensitivity: readonly SensitivityRow[] | null;
}

/** Writes the plan's model, evaluates the file, and leaves weights in float until the loss is small enough. */
export async function runGate(request: GateRequest, job: GateJob, reporter: Reporter): Promise<Gated> {
  const { loaded, planned, output, given, judge: ask } = job;
  const before = await job.original.verdict();
  const measured = measuredBy(request.measure);
  const record = gateRecord(output, {
    inputSha256: await loaded.sha256(),
    plan: planned.plan,
    validation: nameOf(given.path),
  });
  // One candidate stands on the disk at a time; the best one is written again at the end if it was not the last.
  let last: Judged | undefined;
  const discard = async (): Promise<void> => {
    await last?.written.close();
    await last?.candidate.discard();
    last = undefined;
  };
  const judge = async (kept: number, model: ModelProto): Promise<Judged> => {
    const complete = await loaded.kind.finished(model);
    await discard();
    const candidate = await writeCandidate(output, complete);
    const written = openWritten(candidate.path, { ...request, runsOften: true });
    const title =
      kept === 0 ? "the written file" : `the file with ${kept} of the most sensitive weights in float`;
    try {
      const after = await ask(await loaded.kind.openWritten(written), title, before);
      last = { kept, candidate, written, after, against: againstIn(after) };
      return last;
    } catch (error) {
      await written.close();
      await candidate.discard();
      throw error;
    }
  };
  const state = await record.read();
  let ranked = job.sensitivity;
  const rank = async (): Promise<string[]> => {
    // It missed the target: nobody asks it anything more, and measuring takes memory of its own.
    await last?.written.close();
    const samples = given.samples.map((one) => loaded.kind.sampleOf(one));
    ranked ??= await measuredSensitivity(
      loaded,
      planned,
      { threads: request.threads, samples, scheme: request.scheme },
      reporter,
    );
    // By noise: losses of most weights differ by less than a word.
    return [...ranked].sort((a, b) => b.outputNoise - a.outputNoise).map(({ group }) => group);
  };
  try {
    const found = await gate(planned.model, planned.plan, {
      ...planned.options,
      metric: measured.metric(before),
      original: measured.before(before),
      target: request.target ?? Number.POSITIVE_INFINITY,
      evaluate: async ({ model, keptInFloat }) => measured.after(await judge(keptInFloat.length, model)),
      ...(request.fallback && { rank }),
      ...(request.timeBudget !== undefined && { timeBudget: request.timeBudget * 1000 }),
      ...(state !== undefined && state.original === measured.before(before) && { state }),
      onAttempt: async ({ state: reached }) => {
        if (request.timeBudget !== undefined && reached.ranking.length > 0) await record.write(reached);
      },
    });
    const kept = found.keptInFloat.length;
    const judged = last?.kept === kept ? last : await judge(kept, found.candidate.model);
    const isUnfinished = found.outOfTime && !found.passed;
    if (isUnfinished) await record.write(found.state);
    else await record.remove();
    const unfinished = isUnfinished ? { record: record.path, best: bestName(output) } : null;
    const { candidate, written, after, against } = judged;
    return {
      gate: {
        ...figures(request, before, judged, found),
        unfinished,
        ...agreementOf(request, loaded, judged),
      },
      candidate,
      written,
      report: planned.reportOf(found.candidate.report),
      flipped: { flips: against.flips, sentences: against.shown },
      alone: after.predictions && spread(after.predictions, comparedSentences),
      sensitivity: ranked,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

interface Judged {
  readonly kept: number;
  readonly candidate: Candidate;
  readonly written: OpenWritten;
  readonly after: Verdict;
  readonly against: Against;
}

function againstIn({ against }: Verdict): Against {
  if (against === undefined) throw new TypeError("quantize: the gate judged without the original");
  return against;
}

/** What the gate looks at, by what it judges by. */
interface Measured {
  metric(before: Verdict): string;
  before(before: Verdict): number;
  after(judged: Pick<Judged, "after" | "against">): number;
  loss(against: Against, seed: number): Loss;
}

function measuredBy(measure: GateRequest["measure"]): Measured {
  if (measure === "agreement") {
    return {
      metric: () => "agreement",
      before: () => 1,
      after: ({ against }) => against.agreement,
      loss: (against, seed) => against.drift(seed),
    };
  }
  return {
    metric: ({ metric }) => metric ?? "accuracy",
    before: ({ value }) => value,
    after: ({ after }) => after.value,
    loss: (against, seed) => against.loss(seed),
  };
}

/** `dir/pos_int4.onnx.gz` → `dir/pos_int4_best.onnx`: a model that missed its target does not get the output's name. */
function bestName(output: string): string {
  return `${output.replace(/(?:\.onnx)?(?:\.gz|\.br)?$/i, "")}_best.onnx`;
}

function figures(
  { target, seed, measure }: GateRequest,
  before: Verdict,
  judged: Judged,
  { passed, keptInFloat, state }: GateResult,
): Omit<Gate, "unfinished"> {
  const measured = measuredBy(measure);
  const { loss, low, high } = measured.loss(judged.against, seed);
  return {
    metric: measured.metric(before),
    loss,
    lossCi95: [low, high],
    flips: judged.against.flips.length,
    original: measured.before(before),
    quantized: measured.after(judged),
    target: target ?? null,
    passed,
    keptInFloat,
    attempts: state.attempts.length,
    labelling: before.labelling?.labelling ?? null,
    goldLabelling: before.labelling?.goldLabelling ?? null,
  };
}

/** What taggers that are judged by labels do not have. */
function agreementOf(
  { measure }: GateRequest,
  { kind }: FedModel,
  { against }: Judged,
): Pick<Gate, "agreement" | "agreementOf"> {
  const isJudged = measure === "agreement";
  if (!isJudged && kind.name === "token-classification") return {};
  return { ...(isJudged && { agreementOf: against.agreementOf }), agreement: against.figures };
}

/** Why a model was refused, and what to try. */
export function refusal(model: string, gate: Gate): string {
  const { metric, original, quantized, loss, lossCi95, flips: changed, target, attempts, unfinished } = gate;
  const percent = (value: number): string => (value * 100).toFixed(2);
  const saved =
    unfinished === null
      ? "nothing was written; try --mode dynamic, more calibration text, --asymmetric, or --skip-layers for the layers with the lowest signal-to-noise ratio"
      : `the time was up, the best model so far is ${unfinished.best}; run the same command again to go on`;
  const kept = gate.keptInFloat.length === 0 ? "" : ` with ${gate.keptInFloat.length} weights left in float`;
  return (
    `quantize: ${model}: ${gate.agreementOf === undefined ? "accuracy gate" : "drift gate"}: expected a loss of at most ${percent(target ?? 1)} points of ${gate.agreementOf ?? metric}, ` +
    `got ${percent(loss)} (${percent(original)} -> ${percent(quantized)}, 95% interval of the loss ${percent(lossCi95[0])} to ${percent(lossCi95[1])}, ` +
    `${changed} ${gate.agreementOf === undefined || gate.agreementOf === "labels kept" ? "labels" : "answers"} changed${attempts > 1 ? `, the best of ${attempts} models${kept}` : ""}), ${saved}`
  );
}
