import {
  type Evaluation,
  evaluate,
  type Flip,
  type LabelledSentence,
  lossInterval,
  type Metric,
} from "@nasty/taggers";
import { InputError } from "../errors.js";
import { collectAll } from "../texts/collect-all.js";
import { readLabelled } from "../texts/labelled-text.js";
import { bytesOfModel } from "../models/model-bytes.js";
import { type OpenModel, openModel, type OpenModelOptions } from "../models/open-tagger.js";
import { choiceForText } from "../texts/label-choice.js";
import { nameOf } from "../texts/text-form.js";
import { measureTaggerMemory } from "../measurement/tagger-memory.js";
import { sentenceLatencies } from "../measurement/sentence-latency.js";
import { type LabellingDocument, labellingDocument } from "../report/labelling-text.js";
import type { Progress } from "../reporter.js";
import { type BatchMates, batchMates, comparedSentences } from "./batch-mates.js";
import { flipsOf } from "./paired-figures.js";
import { precisionOf } from "./precision.js";
import { spread } from "../texts/spread.js";

/** One model's side of a comparison. */
export interface Side {
  /** What most weights are stored as: `Float32`, `INT8`, `INT4`, … */
  readonly precision: string;
  readonly metric: Metric;
  readonly value: number;
  readonly modelBytes: number;
  readonly memoryBytes: number;
  readonly msPerSentence: number;
}

export interface Comparison {
  readonly examples: number;
  readonly tokens: number;
  readonly task: "pos" | "ner";
  readonly scheme: LabellingDocument["scheme"];
  readonly labelling: LabellingDocument;
  readonly goldLabelling: LabellingDocument;
  readonly original: Side;
  readonly quantized: Side;
  readonly summary: {
    readonly sizeRatio: number;
    readonly speedup: number;
    /** original − quantized, in units of the metric. */
    readonly loss: number;
    readonly lossCi95: readonly [number, number];
  };
  /** How much the quantized model's labels depend on what shares a run. */
  readonly batchMates: BatchMates;
  readonly flips: readonly Flip[];
  readonly sentences: readonly LabelledSentence[];
}

interface ComparedPaths extends OpenModelOptions {
  readonly original: string;
  readonly quantized: string;
  readonly test: string;
  readonly seed: number;
}

// Enough sentences for a steady median, few enough to take seconds.
const timedSentences = 200;

/**
 * Tags the same text sentence by sentence with both models and compares accuracy, size, memory and speed.
 *
 * Speed: the median over interleaved rounds of a fixed sample, one sentence at a time, so that a drift of the machine's
 * clock touches both models alike. Memory: resident growth of a fresh process for each model.
 */
export async function compareModels(paths: ComparedPaths, progress: Progress): Promise<Comparison> {
  const original = await openModel(paths.original, paths);
  try {
    const quantized = await openModel(paths.quantized, paths);
    try {
      return await compareOpen(paths, original, quantized, progress);
    } finally {
      await quantized.tagger.close();
    }
  } finally {
    await original.tagger.close();
  }
}

async function compareOpen(
  paths: ComparedPaths,
  original: OpenModel,
  quantized: OpenModel,
  progress: Progress,
): Promise<Comparison> {
  if (original.tagger.task !== quantized.tagger.task) {
    throw new InputError(
      `quantize eval: ${paths.quantized}: task: expected ${original.tagger.task} as ${paths.original}, got ${quantized.tagger.task}; compare two forms of one model`,
    );
  }
  const sentences = await collectAll(readLabelled(paths.test, original.tagger.task));
  const score = async (model: OpenModel, path: string): Promise<Evaluation> => {
    progress.start(`tagging ${sentences.length} sentences with ${path}`, sentences.length);
    // Sentence by sentence: a dynamic activation range spans the batch, so batch-mates would change labels.
    const result = await evaluate(model.tagger, sentences, {
      path: nameOf(paths.test),
      scheme: paths.scheme,
      batchSize: 1,
      onProgress: (done) => progress.update(done),
    });
    progress.stop();
    return result;
  };
  const choice = choiceForText(paths);
  const before = await score(original, paths.original);
  const after = await score(quantized, paths.quantized);

  const sample = sentences.slice(0, timedSentences).map(({ words }) => words);
  progress.start("measuring speed, the two models in turn");
  const [originalMs, quantizedMs] = await sentenceLatencies([original.tagger, quantized.tagger], sample, {
    seed: paths.seed,
  });
  progress.stop();
  progress.start("tagging in batches and padded");
  const mates = await batchMates(
    paths.quantized,
    spread(sentences, comparedSentences).map(({ words }) => words),
    { threads: paths.threads, choice, alone: spread(after.predictions, comparedSentences) },
  );
  progress.stop();
  progress.start("measuring memory in fresh processes");
  const originalMemory = await measureTaggerMemory(paths.original, sample, paths.threads, choice);
  const quantizedMemory = await measureTaggerMemory(paths.quantized, sample, paths.threads, choice);
  progress.stop();

  const interval = lossInterval(before.metric, before.sentenceCounts, after.sentenceCounts, {
    seed: paths.seed,
  });
  const side = async (
    result: Evaluation,
    { modelPath }: OpenModel,
    memoryBytes: number,
    ms: number,
  ): Promise<Side> => ({
    precision: await precisionOf(modelPath),
    metric: result.metric,
    value: result.value,
    modelBytes: await bytesOfModel(modelPath),
    memoryBytes,
    msPerSentence: ms,
  });
  const sides = {
    original: await side(before, original, originalMemory, originalMs!.p50),
    quantized: await side(after, quantized, quantizedMemory, quantizedMs!.p50),
  };
  return {
    examples: before.sentences,
    tokens: before.tokens,
    task: before.task,
    scheme: before.labelling.scheme,
    labelling: labellingDocument(before.labelling),
    goldLabelling: labellingDocument(before.goldLabelling),
    ...sides,
    summary: {
      sizeRatio: sides.original.modelBytes / sides.quantized.modelBytes,
      speedup: originalMs!.p50 / quantizedMs!.p50,
      loss: before.value - after.value,
      lossCi95: [interval.low, interval.high],
    },
    batchMates: mates,
    flips: flipsOf(before, after),
    sentences,
  };
}
