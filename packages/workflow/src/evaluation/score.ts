import { type LabelRow, type Metric, score as scoreLabels, type Task } from "@nasty/taggers";
import { UsageError } from "../errors.js";
import { scoreOperation } from "../operations/tagging.js";
import { type GivenBeside, perform } from "../perform.js";
import { type LabellingDocument, labellingDocument } from "../report/labelling-text.js";
import type { SettingsOf } from "../schema/option.js";
import { labelledSentences } from "../texts/labelled-text.js";
import type { Text } from "../texts/text.js";
import { nameOf, openText } from "../texts/text-form.js";

/** Figures of a labelled text against the right labels. */
export interface ScoreResult {
  readonly task: Task;
  readonly metric: Metric;
  /** Of the metric, from 0 to 1. */
  readonly value: number;
  readonly precision: number;
  readonly recall: number;
  readonly perLabel: readonly LabelRow[];
  readonly sentences: number;
  readonly tokens: number;
  /** How the right labels mark entities; null for parts of speech. */
  readonly scheme: LabellingDocument["scheme"];
  readonly labelling: LabellingDocument;
  readonly goldLabelling: LabellingDocument;
}

/**
 * Compares a labelled text with the right labels, without a model.
 *
 * @throws InputError for texts that are not labelled or have other sentences
 */
export function score(
  gold: Text | string,
  system: Text | string,
  options: GivenBeside<typeof scoreOperation.options, "gold" | "system"> = {},
): Promise<ScoreResult> {
  return perform(scoreOperation, { gold, system, ...options }, runScore);
}

/** {@link score} from checked settings. */
export async function runScore({
  gold,
  system,
  task: said,
  scheme,
}: SettingsOf<typeof scoreOperation.options>): Promise<ScoreResult> {
  if (gold === "-" && system === "-") {
    throw new UsageError(
      "score: --gold and --system: expected at most one standard input, got two; give a file for one",
    );
  }
  // The form of the file fixes the task unless columns leave it open.
  const goldText = await openText(gold, "labels");
  const systemText = await openText(system, "labels");
  // A scheme is one of entities.
  const entities = scheme === undefined ? undefined : "ner";
  const task = said ?? entities ?? (goldText.form === "conllu" ? "pos" : undefined);
  const result = await scoreLabels(labelledSentences(goldText, task), labelledSentences(systemText, task), {
    task,
    scheme,
    goldPath: nameOf(gold),
    systemPath: nameOf(system),
  });
  const goldLabelling = labellingDocument(result.goldLabelling);
  return {
    task: result.task,
    metric: result.metric,
    value: result.value,
    precision: result.precision,
    recall: result.recall,
    perLabel: result.perLabel,
    sentences: result.sentences,
    tokens: result.tokens,
    scheme: goldLabelling.scheme,
    labelling: labellingDocument(result.labelling),
    goldLabelling,
  };
}
