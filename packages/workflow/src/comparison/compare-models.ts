import { withinLoss } from "@nasty/compression";
import { GateError, UsageError } from "../errors.js";
import { checkWritable } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";
import type { Verdict } from "../kinds/kind.js";
import { type OpenSubject, withSubjects } from "../kinds/open-subject.js";
import { sampleLatencies } from "../measurement/sentence-latency.js";
import { measureSubjectMemory } from "../measurement/subject-memory.js";
import { bytesOfModel } from "../models/model-bytes.js";
import type { compareOperation } from "../operations/quantize.js";
import { comparisonHtml } from "../report/html/comparison-html.js";
import { writeReport } from "../report/html/write-report.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { choiceForText } from "../texts/label-choice.js";
import { spread } from "../texts/spread.js";
import { type BatchMates, batchMates, comparedSentences } from "./batch-mates.js";
import { checkLayers } from "./check-layers.js";
import type { ComparedModel, Difference, Side } from "./compared-model.js";
import { type ComparedSamples, comparedSamples } from "./compared-samples.js";
import { type Compared, Comparison, PairComparison } from "./comparison.js";
import { precisionOf } from "./precision.js";
import { writeFlips } from "./write-flips.js";

export { Comparison, PairComparison } from "./comparison.js";

export type ComparisonSettings = Omit<
  SettingsOf<typeof compareOperation.options>,
  "original" | "quantized"
> & {
  /** Two models or more. */
  readonly models: readonly string[];
};

// Enough sentences for a steady median, few enough to take seconds.
const timedSentences = 200;

/**
 * Asks every model the same samples one by one and compares accuracy, or without labels agreement with the first, size,
 * memory and speed.
 *
 * Speed: the median over interleaved rounds of a fixed sample, one sentence at a time, so that a drift of the machine's
 * clock touches all models alike. Memory: resident growth of a fresh process for each model.
 *
 * @throws UsageError for less than two models, for `flips` of more, and for models of different tasks; GateError for a
 *   file one of whose layers has values of another size, where nothing but the models was given
 */
export async function runComparison(settings: ComparisonSettings, reporter: Reporter): Promise<Comparison> {
  const { models, flips, report, test, threads, maxDrift } = settings;
  if (models.length < 2) {
    throw new UsageError(`quantize eval: models: expected two or more to compare, got ${models.length}`);
  }
  if (flips !== undefined) {
    if (models.length > 2) {
      throw new UsageError(`quantize eval: flips: expected two models to compare, got ${models.length}`);
    }
    await checkWritable("quantize eval: --flips", flips);
  }
  if (report !== undefined) await checkWritable("quantize eval: --report", report);
  if (maxDrift !== undefined && models.length > 2) {
    throw new UsageError(`quantize eval: maxDrift: expected two models to compare, got ${models.length}`);
  }
  await checkSeparate("quantize eval", { "--flips": flips, "--report": report }, [...models, test]);
  const choice = choiceForText(settings);
  const given = { files: test === undefined ? [] : [test], operation: "quantize eval" };
  return withSubjects(models, { threads, ...choice }, given, (open) => compareOpen(settings, open, reporter));
}

/** One model, and what it said to the samples. */
interface Answered {
  readonly model: OpenSubject;
  readonly verdict: Verdict;
}

async function compareOpen(
  settings: ComparisonSettings,
  open: readonly [OpenSubject, ...OpenSubject[]],
  reporter: Reporter,
): Promise<Comparison> {
  const { progress } = reporter;
  const { models, threads, seed, maxDrift } = settings;
  const [first] = open;
  const samples = await comparedSamples(first, open, settings);
  const answered = await answers(open, samples, settings, reporter);
  const sample = samples.all.slice(0, timedSentences).map((one) => first.reading.sampleOf(one));
  progress.start(`measuring speed, the ${open.length === 2 ? "two " : ""}models in turn`);
  const latencies = await sampleLatencies(
    open.map(({ subject }) => subject),
    sample,
    { seed },
  );
  progress.stop();
  const mates = await matesOf(answered, samples, reporter);
  progress.start("measuring memory in fresh processes");
  const choice = choiceForText(settings);
  const memory: number[] = [];
  for (const model of open) memory.push(await measureSubjectMemory(model, sample, threads, choice));
  progress.stop();

  const [before, ...others] = answered as [Answered, ...Answered[]];
  const isLabelled = before.verdict.metric !== null;
  const sides: Side[] = [];
  for (const [i, { model, verdict }] of answered.entries()) {
    sides.push({
      precision: await precisionOf(model.modelPath),
      metric: verdict.metric ?? "agreement",
      value: isLabelled ? verdict.value : (verdict.against?.agreement ?? 1),
      modelBytes: await bytesOfModel(model.modelPath),
      memoryBytes: memory[i]!,
      msPerSentence: latencies[i]!.p50,
    });
  }
  const original: ComparedModel = { path: first.path, ...sides[0]!, summary: null, batchMates: null };
  const compared = others.map(({ model, verdict }, i): Compared => {
    const side = sides[i + 1]!;
    const summary = difference(model, verdict, { first: sides[0]!, side, seed, isLabelled });
    return { path: model.path, ...side, summary, batchMates: mates[i] ?? null };
  });
  const flipped = others.map(({ verdict: { against } }) => ({
    flips: against?.flips ?? [],
    sentences: against?.shown ?? [],
  }));
  if (settings.flips !== undefined) await writeFlips(settings.flips, flipped[0]!);
  const about = { kind: first.kind, verdict: before.verdict, ...samples.about };
  const judged = judgedBy(maxDrift, others[0]?.verdict);
  const comparison =
    compared.length === 1
      ? new PairComparison(about, original, compared[0]!, judged)
      : new Comparison(about, [original, ...compared]);
  if (settings.report !== undefined) {
    const timed = latencies.map((latency, i) => ({ ...latency, name: models[i]! }));
    const page = await comparisonHtml({ comparison, settings, latencies: timed, flipped });
    await writeReport(settings.report, page);
  }
  return comparison;
}

/** What each model says, one after the other; the others are compared with the first. */
async function answers(
  open: readonly OpenSubject[],
  { all, path, isMade }: ComparedSamples,
  { scheme, maxDrift }: ComparisonSettings,
  reporter: Reporter,
): Promise<readonly Answered[]> {
  const answered: Answered[] = [];
  const [first] = open;
  for (const model of open) {
    const doing = model.kind === "token-classification" ? "tagging" : "running";
    const step = `${doing} ${all.length} ${model.reading.noun} with ${model.path}`;
    const reference = answered[0]?.verdict;
    const asking = { step, path, scheme, ...(reference !== undefined && { reference }) };
    answered.push({ model, verdict: await model.subject.judge(all, asking, reporter) });
    const isJudged = isMade || maxDrift !== undefined;
    if (!isJudged || first === undefined || model === first) continue;
    reporter.progress.start(`looking at the layers of ${model.path}`);
    const broken = await checkLayers(first, model, all);
    reporter.progress.stop();
    if (broken !== undefined) throw new GateError(broken);
  }
  return answered;
}

/** Labels of taggers in batches and padded. */
async function matesOf(
  answered: readonly Answered[],
  { all }: ComparedSamples,
  { progress }: Reporter,
): Promise<readonly BatchMates[]> {
  if (answered[0]?.model.opened === undefined) return [];
  progress.start("tagging in batches and padded");
  const mates: BatchMates[] = [];
  for (const { model, verdict } of answered.slice(1)) {
    if (model.opened === undefined || verdict.predictions === undefined) continue;
    const together = spread(all, comparedSentences).map((one) => model.reading.sampleOf(one));
    const labels = spread(verdict.predictions, comparedSentences);
    mates.push(await batchMates(model.opened, together as readonly (readonly string[])[], labels));
  }
  progress.stop();
  return mates;
}

function judgedBy(maxDrift: number | undefined, verdict: Verdict | undefined) {
  if (maxDrift === undefined) return undefined;
  const agreement = verdict?.against?.agreement ?? 0;
  return { maxDrift, agreement, passed: withinLoss(1 - agreement, maxDrift) };
}

interface Sides {
  readonly first: Side;
  readonly side: Side;
  readonly seed: number;
  readonly isLabelled: boolean;
}

function difference(
  { kind }: OpenSubject,
  { against }: Verdict,
  { first, side, seed, isLabelled }: Sides,
): Difference {
  if (against === undefined) throw new TypeError("quantize eval: compared without the first model");
  const { low, high } = isLabelled ? against.loss(seed) : against.drift(seed);
  const hasAgreement = kind !== "token-classification" || !isLabelled;
  return {
    sizeRatio: first.modelBytes / side.modelBytes,
    speedup: first.msPerSentence / side.msPerSentence,
    loss: first.value - side.value,
    lossCi95: [low, high],
    flips: against.flips.length,
    ...(hasAgreement && { agreement: against.figures, agreementOf: against.agreementOf }),
  };
}

/** Why a pair is refused. */
export function driftRefusal(
  { models, summary }: Pick<PairComparison, "models" | "summary">,
  maxDrift: number,
  agreement: number,
): string {
  const percent = (share: number): string => (share * 100).toFixed(2);
  return `quantize eval: ${models[1]?.path}: drift: expected at most ${percent(maxDrift)}% (${summary.agreementOf ?? "labels kept"}), got ${percent(1 - agreement)}%; quantize with --max-drift ${maxDrift}, which leaves sensitive layers in float`;
}
