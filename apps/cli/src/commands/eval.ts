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
  const { metric, value, precision, recall, sentences, tokens, exactBatches, macroF1 } = result;
  const ofEntities =
    precision === undefined || recall === undefined
      ? ""
      : `  (precision ${formatPercent(precision)}, recall ${formatPercent(recall)})`;
  return [
    `${metricName(metric)}: ${metric === "spearman" ? value.toFixed(4) : formatPercent(value)}${ofEntities}${macroF1 === undefined ? "" : `  (macro F1 ${formatPercent(macroF1)})`}`,
    ...(tokens === null || result.tokensPerSecond === null
      ? [
          `${formatCount(sentences)} samples, one at a time`,
          `${formatMs(result.msPerSentence)} per sample, model ${formatBytes(result.modelBytes)}`,
        ]
      : [
          `${formatCount(sentences)} sentences, ${formatCount(tokens)} words${exactBatches ? ", one sentence at a time" : ""}`,
          `${formatMs(result.msPerSentence)} per sentence, ${formatCount(result.tokensPerSecond)} words/s, model ${formatBytes(result.modelBytes)}`,
        ]),
    ...(result.labelling === null ? [] : labellingLines(result.labelling, result.goldLabelling ?? undefined)),
    ...(result.perLabel.length === 0 ? [] : ["", labelTable(result.perLabel)]),
  ].join("\n");
}
