import { score, type Task } from "@nasty/taggers";
import { UsageError } from "../exit-codes.js";
import { labelledSentences } from "../inputs/labelled-text.js";
import { nameOf, openText } from "../inputs/text-form.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatCount, formatPercent } from "../terminal/format.js";
import { labelTable, metricName } from "../terminal/score-table.js";

interface ScoreOptions extends CommonOptions {
  readonly gold: string;
  readonly system: string;
  readonly task?: Task;
}

/** `nasty score`: figures of a labelled file against the right labels, without a model. */
export async function scoreFiles(options: ScoreOptions, terminal: Terminal): Promise<void> {
  const { gold, system } = options;
  if (gold === "-" && system === "-") {
    throw new UsageError(
      "score: --gold and --system: expected at most one standard input, got two; give a file for one",
    );
  }
  // The form of the file fixes the task unless columns leave it open.
  const goldText = await openText(gold);
  const systemText = await openText(system);
  const task = options.task ?? (goldText.form === "conllu" ? "pos" : undefined);
  const result = await score(labelledSentences(goldText, task), labelledSentences(systemText, task), {
    ...(task === undefined ? {} : { task }),
    goldPath: nameOf(gold),
    systemPath: nameOf(system),
  });
  const json = {
    task: result.task,
    metric: result.metric,
    value: result.value,
    precision: result.precision,
    recall: result.recall,
    perLabel: result.perLabel,
    sentences: result.sentences,
    tokens: result.tokens,
  };
  terminal.result(json, () =>
    [
      `${metricName(result.metric)}: ${formatPercent(result.value)}  (precision ${formatPercent(result.precision)}, recall ${formatPercent(result.recall)})`,
      `${formatCount(result.sentences)} sentences, ${formatCount(result.tokens)} words`,
      "",
      labelTable(result.perLabel),
    ].join("\n"),
  );
}
