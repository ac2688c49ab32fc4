import { withinLoss } from "@nasty/compression";
import type { Evaluation } from "@nasty/taggers";
import { evaluateSentences } from "../evaluation/evaluate-sentences.js";
import { type PairedFigures, pairedFigures } from "../comparison/paired-figures.js";
import { collectAll } from "../texts/collect-all.js";
import { readLabelled } from "../texts/labelled-text.js";
import { openModel, type OpenModelOptions } from "../models/open-tagger.js";
import { type LabellingDocument, labellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";

export interface QualityRequest extends OpenModelOptions {
  readonly validation: string;
  /** Largest loss that passes, in units of the metric; no limit unless given. */
  readonly target: number | undefined;
  readonly seed: number;
}

/** What pruning did to the task's metric, on the written file. */
export interface PruningQuality extends PairedFigures {
  readonly original: number;
  readonly pruned: number;
  readonly target: number | null;
  /** What the labels of the model and of the text were taken for. */
  readonly labelling: LabellingDocument;
  readonly goldLabelling: LabellingDocument;
  readonly passed: boolean;
}

/** Evaluates the model and the written file on the same sentences. */
export async function measureQuality(
  [original, written]: readonly [string, string],
  request: QualityRequest,
  reporter: Reporter,
): Promise<PruningQuality> {
  const { validation, target, seed, scheme } = request;
  const tagged = async (path: string, title: string): Promise<Evaluation> => {
    const { tagger } = await openModel(path, request);
    try {
      const sentences = await collectAll(readLabelled(validation, tagger.task));
      const step = `tagging ${sentences.length} sentences with ${title}`;
      return await evaluateSentences(tagger, sentences, { step, path: validation, scheme }, reporter);
    } finally {
      await tagger.close();
    }
  };
  const before = await tagged(original, "the original");
  const after = await tagged(written, "the pruned model");
  const figures = pairedFigures(before, after, seed);
  return {
    ...figures,
    original: before.value,
    pruned: after.value,
    target: target ?? null,
    labelling: labellingDocument(before.labelling),
    goldLabelling: labellingDocument(before.goldLabelling),
    passed: target === undefined || withinLoss(figures.loss, target),
  };
}

/** Why a pruned model was refused, and what to try. */
export function pruningRefusal(
  model: string,
  { metric, original, pruned, loss, target }: PruningQuality,
): string {
  const percent = (value: number): string => (value * 100).toFixed(2);
  return (
    `prune: ${model}: accuracy gate: expected a loss of at most ${percent(target ?? 0)} points of ${metric}, ` +
    `got ${percent(loss)} (${percent(original)} -> ${percent(pruned)}); nothing was written; ` +
    "try a lower --sparsity, --data for importance measured on text, or --train and more --epochs to recover"
  );
}
