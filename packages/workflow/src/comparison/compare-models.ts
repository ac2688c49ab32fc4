import { type Evaluation, evaluate, type Flip, lossInterval } from "@nasty/taggers";
import { InputError, UsageError } from "../errors.js";
import { checkWritable } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";
import { measureTaggerMemory } from "../measurement/tagger-memory.js";
import { sentenceLatencies } from "../measurement/sentence-latency.js";
import { bytesOfModel } from "../models/model-bytes.js";
import { type OpenModel, openModel } from "../models/open-tagger.js";
import type { compareOperation } from "../operations/quantize.js";
import { type LabellingDocument, labellingDocument } from "../report/labelling-text.js";
import { modelTable } from "../report/comparison-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { collectAll } from "../texts/collect-all.js";
import { choiceForText } from "../texts/label-choice.js";
import { readLabelled } from "../texts/labelled-text.js";
import { spread } from "../texts/spread.js";
import { nameOf } from "../texts/text-form.js";
import { type BatchMates, batchMates, comparedSentences } from "./batch-mates.js";
import type { ComparedModel, Difference, Side } from "./compared-model.js";
import { flipsOf } from "./paired-figures.js";
import { precisionOf } from "./precision.js";
import { writeFlips } from "./write-flips.js";

/** Models side by side on one text; as a text (`String(comparison)`) it is a table. */
export class Comparison {
  readonly examples: number;
  readonly tokens: number;
  readonly task: "pos" | "ner";
  readonly scheme: LabellingDocument["scheme"];
  readonly labelling: LabellingDocument;
  readonly goldLabelling: LabellingDocument;
  /** The first is what the others are compared with. */
  readonly models: readonly ComparedModel[];

  constructor(first: Evaluation, models: readonly ComparedModel[]) {
    this.examples = first.sentences;
    this.tokens = first.tokens;
    this.task = first.task;
    this.labelling = labellingDocument(first.labelling);
    this.goldLabelling = labellingDocument(first.goldLabelling);
    this.scheme = this.labelling.scheme;
    this.models = models;
  }

  toString(): string {
    return modelTable(this.models);
  }
}

/** A model and another form of it side by side. */
export class PairComparison extends Comparison {
  readonly original: Side;
  readonly quantized: Side;
  readonly summary: Difference;
  /** How much the labels of the other one depend on what shares a run. */
  readonly batchMates: BatchMates;

  constructor(first: Evaluation, original: ComparedModel, quantized: Compared) {
    super(first, [original, quantized]);
    this.original = sideOf(original);
    this.quantized = sideOf(quantized);
    this.summary = quantized.summary;
    this.batchMates = quantized.batchMates;
  }
}

type Compared = ComparedModel & { readonly summary: Difference; readonly batchMates: BatchMates };

function sideOf({ path: _, summary: __, batchMates: ___, ...side }: ComparedModel): Side {
  return side;
}

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
 * Tags the same text sentence by sentence with every model and compares accuracy, size, memory and speed.
 *
 * Speed: the median over interleaved rounds of a fixed sample, one sentence at a time, so that a drift of the machine's
 * clock touches all models alike. Memory: resident growth of a fresh process for each model.
 *
 * @throws UsageError for less than two models, and for `flips` of more; InputError for models of different tasks
 */
export async function runComparison(settings: ComparisonSettings, reporter: Reporter): Promise<Comparison> {
  const { models, flips, test, threads } = settings;
  if (models.length < 2) {
    throw new UsageError(`quantize eval: models: expected two or more to compare, got ${models.length}`);
  }
  if (flips !== undefined) {
    if (models.length > 2) {
      throw new UsageError(`quantize eval: flips: expected two models to compare, got ${models.length}`);
    }
    await checkWritable("quantize eval: --flips", flips);
  }
  await checkSeparate("quantize eval", { "--flips": flips }, [...models, test]);
  const choice = choiceForText(settings);
  const open: OpenModel[] = [];
  try {
    for (const path of models) open.push(await openModel(path, { threads, ...choice }));
    return await compareOpen(settings, open, reporter);
  } finally {
    for (const { tagger } of open) await tagger.close();
  }
}

/** One model, as it tagged the text. */
interface Judged {
  readonly path: string;
  readonly model: OpenModel;
  readonly result: Evaluation;
}

async function compareOpen(
  settings: ComparisonSettings,
  open: readonly OpenModel[],
  { progress }: Reporter,
): Promise<Comparison> {
  const { models, test, threads, seed, scheme } = settings;
  const [{ tagger: first }] = open as [OpenModel, ...OpenModel[]];
  for (const [i, { tagger }] of open.entries()) {
    if (tagger.task === first.task) continue;
    throw new InputError(
      `quantize eval: ${models[i]}: task: expected ${first.task} as ${models[0]}, got ${tagger.task}; compare two forms of one model`,
    );
  }
  const sentences = await collectAll(readLabelled(test, first.task));
  const score = async (model: OpenModel, path: string): Promise<Judged> => {
    progress.start(`tagging ${sentences.length} sentences with ${path}`, sentences.length);
    // Sentence by sentence: a dynamic activation range spans the batch, so batch-mates would change labels.
    const result = await evaluate(model.tagger, sentences, {
      path: nameOf(test),
      scheme,
      batchSize: 1,
      onProgress: (done) => progress.update(done),
    });
    progress.stop();
    return { path, model, result };
  };
  const judged: Judged[] = [];
  for (const [i, model] of open.entries()) judged.push(await score(model, models[i]!));
  const sample = sentences.slice(0, timedSentences).map(({ words }) => words);
  progress.start(`measuring speed, the ${open.length === 2 ? "two " : ""}models in turn`);
  const latencies = await sentenceLatencies(
    open.map(({ tagger }) => tagger),
    sample,
    { seed },
  );
  progress.stop();
  progress.start("tagging in batches and padded");
  const together = spread(sentences, comparedSentences).map(({ words }) => words);
  const mates: BatchMates[] = [];
  for (const { model, result } of judged.slice(1)) {
    mates.push(await batchMates(model, together, spread(result.predictions, comparedSentences)));
  }
  progress.stop();
  progress.start("measuring memory in fresh processes");
  const choice = choiceForText(settings);
  const memory: number[] = [];
  for (const path of models) memory.push(await measureTaggerMemory(path, sample, threads, choice));
  progress.stop();

  const sides: Side[] = [];
  for (const [i, { model, result }] of judged.entries()) {
    sides.push({
      precision: await precisionOf(model.modelPath),
      metric: result.metric,
      value: result.value,
      modelBytes: await bytesOfModel(model.modelPath),
      memoryBytes: memory[i]!,
      msPerSentence: latencies[i]!.p50,
    });
  }
  const [before, ...others] = judged as [Judged, ...Judged[]];
  const original: ComparedModel = { path: before.path, ...sides[0]!, summary: null, batchMates: null };
  const changed = others.map(({ result }) => flipsOf(before.result, result));
  const compared = others.map(({ path, result }, i): Compared => {
    const side = sides[i + 1]!;
    const pair = { before: before.result, after: result, flips: changed[i]! };
    return { path, ...side, summary: difference(pair, sides[0]!, side, seed), batchMates: mates[i]! };
  });
  if (settings.flips !== undefined) await writeFlips(settings.flips, { flips: changed[0]!, sentences });
  return compared.length === 1
    ? new PairComparison(before.result, original, compared[0]!)
    : new Comparison(before.result, [original, ...compared]);
}

interface Pair {
  readonly before: Evaluation;
  readonly after: Evaluation;
  readonly flips: readonly Flip[];
}

function difference({ before, after, flips }: Pair, first: Side, side: Side, seed: number): Difference {
  const interval = lossInterval(before.metric, before.sentenceCounts, after.sentenceCounts, { seed });
  return {
    sizeRatio: first.modelBytes / side.modelBytes,
    speedup: first.msPerSentence / side.msPerSentence,
    loss: before.value - after.value,
    lossCi95: [interval.low, interval.high],
    flips: flips.length,
  };
}
