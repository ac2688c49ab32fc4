import { formatCount, formatPercent, labellingLines, labelTable, metricName } from "@nasty/workflow/report";
import { runScore, type ScoreResult } from "@nasty/workflow/score";
import type { Terminal } from "../terminal/console.js";

/** `nasty score`: figures of a labelled file against the right labels, without a model. */
export async function scoreFiles(options: Parameters<typeof runScore>[0], terminal: Terminal): Promise<void> {
  const result = await runScore(options);
  terminal.result(result, () => scoreText(result));
}

function scoreText(result: ScoreResult): string {
  const { metric, value, precision, recall, sentences, tokens, labelling, goldLabelling, perLabel } = result;
  return [
    `${metricName(metric)}: ${formatPercent(value)}  (precision ${formatPercent(precision)}, recall ${formatPercent(recall)})`,
    `${formatCount(sentences)} sentences, ${formatCount(tokens)} words`,
    ...labellingLines(labelling, goldLabelling),
    "",
    labelTable(perLabel),
  ].join("\n");
}
