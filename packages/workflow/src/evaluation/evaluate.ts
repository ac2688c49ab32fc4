import { evaluate as evaluateTagger, type LabelRow, type Metric } from "@nasty/taggers";
import { bytesOfModel } from "../models/model-bytes.js";
import type { ModelLike } from "../models/model-like.js";
import { openModel } from "../models/open-tagger.js";
import { evaluateOperation } from "../operations/tagging.js";
import { type GivenBeside, perform } from "../perform.js";
import { type LabellingDocument, labellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { choiceForText } from "../texts/label-choice.js";
import { readLabelled } from "../texts/labelled-text.js";
import { nameOf } from "../texts/text-form.js";

/** Figures of one model on labelled text. */
export interface EvaluationResult {
  readonly task: "pos" | "ner";
  /** How the labels mark entities; null for parts of speech. */
  readonly scheme: LabellingDocument["scheme"];
  readonly metric: Metric;
  /** Of the metric, from 0 to 1. */
  readonly value: number;
  /** Of entities only, as are those of {@link EvaluationResult.recall}. */
  readonly precision?: number;
  readonly recall?: number;
  readonly sentences: number;
  readonly tokens: number;
  readonly perLabel: readonly LabelRow[];
  readonly msPerSentence: number;
  readonly tokensPerSecond: number;
  readonly modelBytes: number;
  /** Whether one sentence was tagged at a time. */
  readonly exactBatches: boolean;
  readonly notes: readonly string[];
  readonly labelling: LabellingDocument;
  readonly goldLabelling: LabellingDocument;
}

/**
 * Measures a model on labelled text.
 *
 * @throws InputError for a model that cannot tag or a text that is not labelled
 */
export function evaluate(
  model: ModelLike,
  options: GivenBeside<typeof evaluateOperation.options, "model">,
): Promise<EvaluationResult> {
  return perform(evaluateOperation, { model, ...options }, runEvaluation);
}

/** {@link evaluate} from checked settings. */
export async function runEvaluation(
  { model, test, threads, exactBatches = false, ...choice }: SettingsOf<typeof evaluateOperation.options>,
  { progress, note }: Reporter,
): Promise<EvaluationResult> {
  const { tagger, modelPath, notes } = await openModel(model, { threads, ...choiceForText(choice) });
  for (const one of notes) note(one);
  try {
    const modelBytes = await bytesOfModel(modelPath);
    progress.start(`evaluating ${model} on ${test}`);
    const result = await evaluateTagger(tagger, readLabelled(test, tagger.task), {
      path: nameOf(test),
      scheme: choice.scheme,
      asTagged: !exactBatches,
    });
    progress.stop();
    const labelling = labellingDocument(result.labelling);
    return {
      task: result.task,
      scheme: labelling.scheme,
      metric: result.metric,
      value: result.value,
      ...(result.metric === "f1" ? { precision: result.precision, recall: result.recall } : {}),
      sentences: result.sentences,
      tokens: result.tokens,
      perLabel: result.perLabel,
      msPerSentence: result.msPerSentence,
      tokensPerSecond: result.tokensPerSecond,
      modelBytes,
      exactBatches,
      notes,
      labelling,
      goldLabelling: labellingDocument(result.goldLabelling),
    };
  } finally {
    await tagger.close();
  }
}
