import type { LabelRow, Metric } from "@nasty/taggers";
import { formatCount, formatPercent } from "./format.js";
import { table } from "./table.js";

export function metricName(metric: Metric): string {
  return metric === "accuracy" ? "Accuracy" : "F1";
}

/** A row a label: precision, recall, F1, how often it is right in the gold text and how often it was predicted. */
export function labelTable(rows: readonly LabelRow[]): string {
  return table(
    ["label", "precision", "recall", "F1", "gold", "predicted"],
    rows.map((row) => [
      row.label === "" ? "(no type)" : row.label,
      formatPercent(row.precision),
      formatPercent(row.recall),
      formatPercent(row.f1),
      formatCount(row.support),
      formatCount(row.predicted),
    ]),
  );
}
