import type { Artifact, Figures } from "@nasty/compression/pipeline";
import type { LabelChoice } from "@nasty/taggers";
import { evaluateSentences } from "../evaluation/evaluate-sentences.js";
import { collectAll } from "../texts/collect-all.js";
import { readLabelled } from "../texts/labelled-text.js";
import { choiceForText } from "../texts/label-choice.js";
import { openModel, withOpen } from "../models/open-tagger.js";
import { sentenceLatencies, timesOf } from "../measurement/sentence-latency.js";
import { measureTaggerMemory } from "../measurement/tagger-memory.js";
import { labellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";

interface MeasureOptions {
  readonly test: string;
  readonly seed: number;
  readonly threads: number;
  readonly reporter: Reporter;
  /** What the labels are said to be. */
  readonly choice: LabelChoice;
}

/** Accuracy or F1 of a written model, sentence by sentence as `nasty eval` has it. */
export async function evaluateModel(path: string, { test, threads, reporter, choice }: MeasureOptions) {
  const { tagger } = await openModel(path, { threads, ...choiceForText(choice) });
  try {
    const sentences = await collectAll(readLabelled(test, tagger.task));
    const step = `tagging ${sentences.length} sentences with ${path}`;
    const judging = { step, path: test, scheme: choice.scheme, batchSize: 1 };
    const result = await evaluateSentences(tagger, sentences, judging, reporter);
    const { metric, value, sentenceCounts, perLabel } = result;
    const labelling = labellingDocument(result.labelling);
    const goldLabelling = labellingDocument(result.goldLabelling);
    return { metric, value, sentenceCounts, perLabel, labelling, goldLabelling };
  } finally {
    await tagger.close();
  }
}

// Enough sentences for a steady median, few enough to take seconds.
const timedSentences = 200;

/** Speed of all models, in turn on the same sentences, and memory of each in a fresh process. */
export async function measureModels(
  models: readonly Artifact[],
  { test, seed, threads, choice, reporter: { progress } }: MeasureOptions,
): Promise<Figures[]> {
  const paths = models.map(({ path }) => path);
  return withOpen(paths, { threads, ...choiceForText(choice) }, async (open) => {
    const task = open[0]?.tagger.task ?? "pos";
    const sample = (await collectAll(readLabelled(test, task)))
      .slice(0, timedSentences)
      .map(({ words }) => words);
    progress.start(`measuring speed, ${models.length} models in turn`);
    const latencies = await sentenceLatencies(
      open.map(({ tagger }) => tagger),
      sample,
      { seed },
    );
    progress.stop();
    const figures: Figures[] = [];
    for (const [index, path] of paths.entries()) {
      progress.start(`measuring the memory of ${path} in a fresh process`);
      const memoryBytes = await measureTaggerMemory(path, sample, threads, choiceForText(choice));
      progress.stop();
      figures.push({ msPerSentence: timesOf(latencies[index]!), memoryBytes });
    }
    return figures;
  });
}
