import { type EvaluationResult, runEvaluation } from "@nasty/workflow/evaluation";
import {
  formatBytes,
  formatCount,
  formatMs,
  formatPercent,
  labellingLines,
  labelTable,
  metricName,
} from "@nasty/workflow/report";
import type { Terminal } from "../terminal/console.js";

/** `nasty eval`: accuracy or F1 of one model on labelled text, with a row a label. */
export async function evalModel(
  options: Parameters<typeof runEvaluation>[0],
  terminal: Terminal,
): Promise<void> {
  const result = await runEvaluation(options, terminal);
  terminal.result(result, () => evaluationText(result));
}

/** The figures of one model first, then a row a label. */
function evaluationText(result: EvaluationResult): string {
  const { metric, value, precision, recall, sentences, tokens, exactBatches } = result;
  const ofEntities =
    precision === undefined || recall === undefined
      ? ""
      : `  (precision ${formatPercent(precision)}, recall ${formatPercent(recall)})`;
  return [
    `${metricName(metric)}: ${formatPercent(value)}${ofEntities}`,
    `${formatCount(sentences)} sentences, ${formatCount(tokens)} words${exactBatches ? ", one sentence at a time" : ""}`,
    `${formatMs(result.msPerSentence)} per sentence, ${formatCount(result.tokensPerSecond)} words/s, model ${formatBytes(result.modelBytes)}`,
    ...labellingLines(result.labelling, result.goldLabelling),
    "",
    labelTable(result.perLabel),
  ].join("\n");
}
