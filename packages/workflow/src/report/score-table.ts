import type { LabelRow } from "@nasty/taggers";
import { formatCount, formatPercent } from "./format.js";
import { table } from "./table.js";

/** What a result is measured in, by the name that it has there. */
export function metricName(metric: string): string {
  return Object.hasOwn(metricNames, metric) ? (metricNames[metric] as string) : "F1";
}

const metricNames: Readonly<Record<string, string>> = {
  accuracy: "Accuracy",
  spearman: "Spearman's correlation",
  agreement: "Agreement",
};

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
