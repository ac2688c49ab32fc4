import { type LabelChoice, score } from "@nasty/taggers";
import { UsageError } from "@nasty/workflow/errors";
import { labelledSentences } from "@nasty/workflow/texts/labelled-text";
import { nameOf, openText } from "@nasty/workflow/texts/text-form";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatCount, formatPercent } from "@nasty/workflow/report/format";
import { labellingDocument, labellingLines } from "@nasty/workflow/report/labelling-text";
import { labelTable, metricName } from "@nasty/workflow/report/score-table";

interface ScoreOptions extends CommonOptions, LabelChoice {
  readonly gold: string;
  readonly system: string;
}

/** `nasty score`: figures of a labelled file against the right labels, without a model. */
export async function scoreFiles(options: ScoreOptions, terminal: Terminal): Promise<void> {
  const { gold, system, scheme } = options;
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
  const task = options.task ?? entities ?? (goldText.form === "conllu" ? "pos" : undefined);
  const result = await score(labelledSentences(goldText, task), labelledSentences(systemText, task), {
    task,
    scheme,
    goldPath: nameOf(gold),
    systemPath: nameOf(system),
  });
  const labelling = labellingDocument(result.labelling);
  const goldLabelling = labellingDocument(result.goldLabelling);
  const json = {
    task: result.task,
    metric: result.metric,
    value: result.value,
    precision: result.precision,
    recall: result.recall,
    perLabel: result.perLabel,
    sentences: result.sentences,
    tokens: result.tokens,
    scheme: goldLabelling.scheme,
    labelling,
    goldLabelling,
  };
  terminal.result(json, () =>
    [
      `${metricName(result.metric)}: ${formatPercent(result.value)}  (precision ${formatPercent(result.precision)}, recall ${formatPercent(result.recall)})`,
      `${formatCount(result.sentences)} sentences, ${formatCount(result.tokens)} words`,
      ...labellingLines(labelling, goldLabelling),
      "",
      labelTable(result.perLabel),
    ].join("\n"),
  );
}
