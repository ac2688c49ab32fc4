import { evaluate as evaluateTagger, type LabelRow, type Tagger } from "@nasty/taggers";
import type { ModelKindName } from "@nasty/taggers/texts";
import { InputError } from "../errors.js";
import type { ClassVerdict } from "../kinds/class-verdict.js";
import { type OpenSubject, openSubject } from "../kinds/open-subject.js";
import { bytesOfModel } from "../models/model-bytes.js";
import type { ModelLike } from "../models/model-like.js";
import { evaluateOperation } from "../operations/tagging.js";
import { type GivenBeside, perform } from "../perform.js";
import { type LabellingDocument, labellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { collectAll } from "../texts/collect-all.js";
import { choiceForText } from "../texts/label-choice.js";
import { readLabelled } from "../texts/labelled-text.js";
import { nameOf } from "../texts/text-form.js";

/** Figures of one model on labelled text. */
export interface EvaluationResult {
  /** Of a model that is no tagger. */
  readonly kind?: Exclude<ModelKindName, "token-classification">;
  /** Null for models that are no taggers, as is all else that only taggers have. */
  readonly task: "pos" | "ner" | null;
  /** How the labels mark entities; null for parts of speech. */
  readonly scheme: LabellingDocument["scheme"];
  /** `accuracy` or `f1`; `spearman` for numbers and for the likeness of texts. */
  readonly metric: string;
  /** Of the metric, from 0 to 1. */
  readonly value: number;
  /** Of entities only, as are those of {@link EvaluationResult.recall}. */
  readonly precision?: number;
  readonly recall?: number;
  /** Mean of the labels' F1; of classifiers of texts only. */
  readonly macroF1?: number;
  /** Sentences, texts or other samples. */
  readonly sentences: number;
  readonly tokens: number | null;
  readonly perLabel: readonly LabelRow[];
  readonly msPerSentence: number;
  readonly tokensPerSecond: number | null;
  readonly modelBytes: number;
  /** Whether one sentence was tagged at a time. */
  readonly exactBatches: boolean;
  readonly notes: readonly string[];
  readonly labelling: LabellingDocument | null;
  readonly goldLabelling: LabellingDocument | null;
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

type Settings = SettingsOf<typeof evaluateOperation.options>;

/** {@link evaluate} from checked settings. */
export async function runEvaluation(settings: Settings, reporter: Reporter): Promise<EvaluationResult> {
  const { model, test, threads, exactBatches: _, ...choice } = settings;
  const open = await openSubject(model, { threads, ...choiceForText(choice) }, [test]);
  for (const one of open.notes) reporter.note(one);
  try {
    return open.opened === undefined
      ? await evaluateSubject(open, settings, reporter)
      : await evaluateOpen(open.opened.tagger, open, settings, reporter);
  } finally {
    await open.subject.close();
  }
}

async function evaluateOpen(
  tagger: Tagger,
  { modelPath, notes }: OpenSubject,
  { model, test, scheme, exactBatches = false }: Settings,
  { progress, signal }: Reporter,
): Promise<EvaluationResult> {
  const modelBytes = await bytesOfModel(modelPath);
  progress.start(`evaluating ${model} on ${test}`);
  const result = await evaluateTagger(tagger, readLabelled(test, tagger.task), {
    path: nameOf(test),
    scheme,
    asTagged: !exactBatches,
    signal,
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
}

/** A model that is no tagger, sample by sample. */
async function evaluateSubject(
  { kind, modelPath, notes, reading, subject }: OpenSubject,
  { model, test }: Settings,
  reporter: Reporter,
): Promise<EvaluationResult> {
  const modelBytes = await bytesOfModel(modelPath);
  const samples = await collectAll(reading.readLabelled(test));
  const start = performance.now();
  const verdict = await subject.judge(
    samples,
    { step: `evaluating ${model} on ${test}`, path: test },
    reporter,
  );
  const msPerSentence = (performance.now() - start) / Math.max(1, samples.length);
  if (verdict.metric === null || kind === "token-classification") {
    throw new InputError(
      `read ${nameOf(test)}: labels: expected the right answers, got ${samples.length === 0 ? `no ${reading.noun}` : "none"}; give a file with labels, or compare two models with quantize eval, which needs none`,
    );
  }
  const { perLabel = [] } = verdict as Partial<ClassVerdict>;
  return {
    kind,
    task: null,
    scheme: null,
    metric: verdict.metric,
    value: verdict.value,
    ...verdict.figures,
    sentences: samples.length,
    tokens: null,
    perLabel,
    msPerSentence,
    tokensPerSecond: null,
    modelBytes,
    exactBatches: true,
    notes,
    labelling: null,
    goldLabelling: null,
  };
}
