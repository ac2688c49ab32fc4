import { type GateResult, type GateState, gate, sensitivity } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import {
  type Evaluation,
  evaluate,
  flips,
  type LabelledSentence,
  lossInterval,
  type Metric,
} from "@nasty/taggers";
import { collectAll } from "../inputs/collect-all.js";
import { readLabelled } from "../inputs/labelled-text.js";
import type { LoadedModel } from "../inputs/load-model.js";
import { openModel } from "../inputs/model.js";
import { nameOf } from "../inputs/text-form.js";
import type { Terminal } from "../terminal/console.js";
import { encodedBatches } from "./calibration-batches.js";
import { gateRecord } from "./gate-record.js";
import { type Planned, type AppliedReport, finished } from "./plan-quantization.js";
import { type Candidate, writeCandidate } from "./written-model.js";

export interface GateRequest {
  /** Largest loss that passes, in units of the metric: 0.01 is one point. */
  readonly target: number;
  readonly validation: string;
  readonly threads: number;
  /** Leave sensitive weights in float if the loss is too large. */
  readonly fallback: boolean;
  /** Seconds after which no further attempt is begun. */
  readonly timeBudget?: number;
  readonly seed: number;
}

/** What the gate measured on the written file. */
export interface Gate {
  readonly metric: Metric;
  readonly original: number;
  readonly quantized: number;
  readonly loss: number;
  /** Paired bootstrap over sentences. */
  readonly lossCi95: readonly [number, number];
  /** Words whose label changed. */
  readonly flips: number;
  readonly target: number;
  readonly passed: boolean;
  /** Weights left in float to pass. */
  readonly keptInFloat: readonly string[];
  /** Files that were written and evaluated, in this run and the ones before it. */
  readonly attempts: number;
  /** Words of the first sentences whose label depends on what shares their batch: sentences alone against padded batches of 32. */
  readonly batchMates: { readonly words: number; readonly flips: number };
  /** Where the search can go on, and the best model so far; null unless the time was up. */
  readonly unfinished: { readonly record: string; readonly best: string } | null;
}

/** A judged candidate that stands on the disk under its temporary name. */
export interface Gated {
  readonly gate: Gate;
  readonly candidate: Candidate;
  readonly report: AppliedReport;
}

/** Sentences of the validation text that the ranking of weights is measured on. */
const rankedSentences = 64;

/** Sentences that are tagged in batches too. */
const comparedSentences = 256;

/** Writes the plan's model, evaluates the file, and leaves weights in float until the loss is small enough. */
export async function runGate(
  request: GateRequest,
  {
    loaded,
    planned,
    output,
  }: { readonly loaded: LoadedModel; readonly planned: Planned; readonly output: string },
  terminal: Terminal,
): Promise<Gated> {
  const { progress } = terminal;
  let sentences: readonly LabelledSentence[] | undefined;
  const tagged = async (path: string, title: string): Promise<Evaluation> => {
    const { tagger } = await openModel(path, request);
    try {
      sentences ??= await collectAll(readLabelled(request.validation, tagger.task));
      progress.start(`gate: tagging ${sentences.length} sentences with ${title}`, sentences.length);
      return await evaluate(tagger, sentences, {
        path: nameOf(request.validation),
        batchSize: 1,
        onProgress: (done) => progress.update(done),
      });
    } finally {
      progress.stop();
      await tagger.close();
    }
  };
  const before = await tagged(loaded.path, "the original");
  const record = gateRecord(output, {
    inputSha256: await loaded.sha256(),
    plan: planned.plan,
    validation: nameOf(request.validation),
  });
  // One candidate stands on the disk at a time; the best one is written again at the end if it was not the last.
  let last: Judged | undefined;
  const write = async (model: ModelProto): Promise<Candidate> => {
    await last?.candidate.discard();
    last = undefined;
    return writeCandidate(output, model);
  };
  const judge = async (kept: number, model: ModelProto): Promise<Judged> => {
    const complete = await finished(model, loaded);
    const candidate = await write(complete);
    const title =
      kept === 0 ? "the written file" : `the file with ${kept} of the most sensitive weights in float`;
    try {
      last = { kept, candidate, after: await tagged(candidate.path, title) };
      return last;
    } catch (error) {
      await candidate.discard();
      throw error;
    }
  };
  const state = await record.read();
  try {
    const found = await gate(planned.model, planned.plan, {
      ...planned.options,
      metric: before.metric,
      original: before.value,
      target: request.target,
      evaluate: async ({ model, keptInFloat }) => (await judge(keptInFloat.length, model)).after.value,
      ...(request.fallback && { rank: () => ranking(planned, loaded, sentences ?? [], request, terminal) }),
      ...(request.timeBudget !== undefined && { timeBudget: request.timeBudget * 1000 }),
      ...(state !== undefined && sameOriginal(state, before) && { state }),
      onAttempt: async ({ state: reached }) => {
        if (request.timeBudget !== undefined && reached.ranking.length > 0) await record.write(reached);
      },
    });
    const kept = found.keptInFloat.length;
    const judged = last?.kept === kept ? last : await judge(kept, found.candidate.model);
    const isUnfinished = found.outOfTime && !found.passed;
    if (isUnfinished) await record.write(found.state);
    else await record.remove();
    const batchMates = await batchFlips(judged, sentences ?? [], request);
    const unfinished = isUnfinished ? { record: record.path, best: bestName(output) } : null;
    return {
      gate: { ...figures(request, before, judged.after, found), batchMates, unfinished },
      candidate: judged.candidate,
      report: planned.reportOf(found.candidate.report),
    };
  } catch (error) {
    await last?.candidate.discard();
    throw error;
  }
}

interface Judged {
  readonly kept: number;
  readonly candidate: Candidate;
  readonly after: Evaluation;
}

function sameOriginal(state: GateState, { value }: Evaluation): boolean {
  return state.original === value;
}

async function ranking(
  planned: Planned,
  loaded: LoadedModel,
  sentences: readonly LabelledSentence[],
  request: GateRequest,
  { progress }: Terminal,
): Promise<string[]> {
  const words = sentences.slice(0, rankedSentences).map((sentence) => sentence.words);
  const batches = await encodedBatches(loaded, words, request);
  progress.start("gate: measuring how sensitive each weight is", planned.plan.tensors.length);
  try {
    const rows = await sensitivity(planned.model, planned.plan, {
      ...planned.options,
      batches,
      sequences: rankedSentences,
      session: { threads: request.threads },
      onGroup: (done) => progress.update(done),
    });
    return rows.map(({ name }) => name);
  } finally {
    progress.stop();
  }
}

/** Tags the first sentences again in batches: ranges of dynamic activations span a batch, and padding is part of it. */
async function batchFlips(
  { candidate, after }: Judged,
  sentences: readonly LabelledSentence[],
  request: GateRequest,
): Promise<Gate["batchMates"]> {
  const words = sentences.slice(0, comparedSentences).map((sentence) => sentence.words);
  const { tagger } = await openModel(candidate.path, request);
  try {
    const batched = await collectAll(tagger.tag(words, { batchSize: 32 }));
    return {
      words: words.reduce((sum, sentence) => sum + sentence.length, 0),
      flips: flips(after.predictions.slice(0, words.length), batched).length,
    };
  } finally {
    await tagger.close();
  }
}

/** `dir/pos_int4.onnx.gz` → `dir/pos_int4_best.onnx`: a model that missed its target does not get the output's name. */
function bestName(output: string): string {
  return `${output.replace(/(?:\.onnx)?(?:\.gz|\.br)?$/i, "")}_best.onnx`;
}

function figures(
  { target, seed }: GateRequest,
  before: Evaluation,
  after: Evaluation,
  { passed, keptInFloat, state }: GateResult,
): Omit<Gate, "batchMates" | "unfinished"> {
  const { loss, low, high } = lossInterval(before.metric, before.sentenceCounts, after.sentenceCounts, {
    seed,
  });
  return {
    metric: before.metric,
    original: before.value,
    quantized: after.value,
    loss,
    lossCi95: [low, high],
    flips: flips(before.predictions, after.predictions).length,
    target,
    passed,
    keptInFloat,
    attempts: state.attempts.length,
  };
}

/** Why a model was refused, and what to try. */
export function refusal(
  model: string,
  { metric, original, quantized, loss, target, attempts, unfinished }: Gate,
): string {
  const percent = (value: number): string => (value * 100).toFixed(2);
  const saved =
    unfinished === null
      ? "nothing was written; try --mode dynamic, more calibration text, --asymmetric, or --skip-layers for the layers with the lowest signal-to-noise ratio"
      : `the time was up, the best model so far is ${unfinished.best}; run the same command again to go on`;
  return (
    `quantize: ${model}: accuracy gate: expected a loss of at most ${percent(target)} points of ${metric}, ` +
    `got ${percent(loss)} (${percent(original)} -> ${percent(quantized)}${attempts > 1 ? `, the best of ${attempts} models` : ""}), ${saved}`
  );
}
