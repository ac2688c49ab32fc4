import { agreementLines } from "./agreement-text.js";
import { formatBytes, formatCount, formatMs, formatPercent, formatRatio } from "./format.js";
import { table } from "./table.js";
import { metricName } from "./score-table.js";
import type { BatchMates } from "../comparison/batch-mates.js";
import type { ComparedModel, ComparedPair, Side } from "../comparison/compared-model.js";

/** A share in percent; a correlation as it is. */
const valueText = ({ metric, value }: Pick<Side, "metric" | "value">): string =>
  metric === "spearman" ? value.toFixed(4) : formatPercent(value);

function sideLines(title: string, side: Side): string[] {
  return [
    `${title} (${side.precision}):`,
    `  ${metricName(side.metric)}: ${valueText(side)}`,
    `  Size: ${formatBytes(side.modelBytes)}`,
    `  Memory: ${formatBytes(side.memoryBytes)}`,
    `  Avg inference: ${formatMs(side.msPerSentence)}`,
    "",
  ];
}

/** A loss in points of the metric: 0.0043 is 0.43; never a negative zero. */
function points(loss: number): string {
  return (Math.round(loss * 1e4) / 100 + 0).toFixed(2);
}

/** `2 of 1,234 words in batches of 32, 3 padded`. */
export function batchMatesText({ words, flips, paddedFlips }: BatchMates): string {
  const padded = paddedFlips === null ? "" : `, ${formatCount(paddedFlips)} padded`;
  return `${formatCount(flips)} of ${formatCount(words)} words in batches of 32${padded}`;
}

/** The comparison for a person to read, in the layout of the quantization guide; MB = 10^6 bytes. */
export function comparisonText(comparison: ComparedPair): string {
  const { summary, original, quantized } = comparison;
  return [
    `Comparing models on ${formatCount(comparison.examples)} test examples:`,
    "",
    ...sideLines("Original", original),
    ...sideLines("Quantized", quantized),
    "Summary:",
    `  Size reduction: ${formatRatio(summary.sizeRatio)}`,
    `  Speed improvement: ${formatRatio(summary.speedup)}`,
    `  ${metricName(original.metric)} loss: ${points(summary.loss)}% (in points; 95% interval ${points(summary.lossCi95[0])} to ${points(summary.lossCi95[1])})`,
    comparison.tokens === null
      ? `  Answers changed: ${formatCount(summary.flips)}`
      : `  Labels changed: ${formatCount(summary.flips)} of ${formatCount(comparison.tokens)} words`,
    ...(comparison.batchMates === null
      ? []
      : [`  Labels that depend on the batch: ${batchMatesText(comparison.batchMates)}`]),
    ...agreementLines(summary.agreement ?? {}).map((line) => `  ${line}`),
  ].join("\n");
}

/** Models in rows, the first being what the others are compared with; MB = 10^6 bytes. */
export function modelTable(models: readonly ComparedModel[]): string {
  const metric = models[0]?.metric ?? "accuracy";
  return table(
    [
      "Model",
      "Precision",
      metricName(metric),
      "Loss, points",
      "Labels changed",
      "Size",
      "Memory",
      "Sentence",
    ],
    models.map(({ path, precision, value, summary, modelBytes, memoryBytes, msPerSentence }) => [
      path,
      precision,
      valueText({ metric, value }),
      summary === null ? "" : points(summary.loss),
      summary === null ? "" : formatCount(summary.flips),
      formatBytes(modelBytes),
      formatBytes(memoryBytes),
      formatMs(msPerSentence),
    ]),
    ["left", "left", "right", "right", "right", "right", "right", "right"],
  );
}
