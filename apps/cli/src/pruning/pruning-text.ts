import type { PruningPlan, PruningReport } from "@nasty/compression";
import type { PrunedModel, PruningQuality } from "@nasty/workflow/pruning";
import {
  driftLine,
  formatBytes,
  formatCount,
  formatPercent,
  formatRatio,
  table,
} from "@nasty/workflow/report";

/** A plan for people. */
export function pruningPlanText({
  heads,
  neurons,
  layers,
  vocabulary,
  tensors,
  notPruned,
  warnings,
}: PruningPlan): string {
  const rows = [
    ...layers.map(({ layer, from }) => [`layer ${layer}`, "dropped", `its readers read ${from}`]),
    ...heads.map(({ node, heads: count, remove }) => [
      node,
      `${count} → ${count - remove.length} heads`,
      remove.length === 0 ? "" : `without ${remove.join(", ")}`,
    ]),
    ...neurons.map(({ node, neurons: count, remove, lostImportance }) => [
      node,
      `${count} → ${count - remove.length} neurons`,
      `${formatPercent(lostImportance)} of the importance goes`,
    ]),
    ...tensors.map(({ name, elements, zeros }) => [
      name,
      `${formatCount(zeros)} zeros`,
      `of ${formatCount(elements)} elements`,
    ]),
    ...(vocabulary === undefined
      ? []
      : [
          [
            vocabulary.table,
            `${formatCount(vocabulary.rows)} → ${formatCount(vocabulary.keep.length)} rows`,
            "",
          ],
        ]),
  ];
  return [table(["what", "change", ""], rows), ...kept(notPruned), ...remarks(warnings)].join("\n");
}

/** A result for people. */
export function pruningText(result: PrunedModel): string {
  const { model, modelBytes, output, parameters, sparsity, heads, neurons, layers, vocabulary } = result;
  const sum = (units: readonly { before: number; after: number }[]): string => {
    const [before, after] = [units.map((u) => u.before), units.map((u) => u.after)].map((list) =>
      list.reduce((a, b) => a + b, 0),
    ) as [number, number];
    return `${formatCount(before)} → ${formatCount(after)}`;
  };
  return [
    `Pruned: ${model} → ${output.path}`,
    `  size: ${formatBytes(modelBytes)} → ${formatBytes(output.bytes)} (${formatRatio(modelBytes / output.bytes)} smaller)`,
    `  parameters: ${formatCount(parameters.before)} → ${formatCount(parameters.after)}`,
    ...(layers.length === 0 ? [] : [`  layers dropped: ${layers.join(", ")}`]),
    ...(heads.length === 0
      ? []
      : [`  attention heads: ${sum(heads)} (${heads.map((h) => h.after).join(", ")})`]),
    ...(neurons.length === 0
      ? []
      : [`  feed-forward neurons: ${sum(neurons)} (${neurons.map((n) => n.after).join(", ")})`]),
    ...(vocabulary === null ? [] : [`  vocabulary rows: ${sum([vocabulary])}`]),
    ...(sparsity === null ? [] : [`  zeros: ${formatPercent(sparsity)} of the pruned weights`]),
    ...(result.training === null
      ? []
      : [`  training: ${result.training.epochs} epochs, ${result.training.schedule}`]),
    driftLine(
      result.drift,
      result.training === null ? "the original's without what was pruned" : "the trained model's",
    ),
    ...qualityText(result.gate),
    ...kept(result.notPruned),
    ...remarks(result.warnings),
    "",
    `Measure it: nasty quantize eval --original ${model} --quantized ${output.path} --test FILE`,
  ].join("\n");
}

function qualityText(quality: PruningQuality | null): string[] {
  if (quality === null) return [];
  const { metric, original, pruned, loss, lossCi95, flips } = quality;
  const [low, high] = lossCi95.map((value) => (value * 100).toFixed(2));
  return [
    `  ${metric}: ${formatPercent(original)} → ${formatPercent(pruned)}, loss ${(loss * 100).toFixed(2)} points (95 %: ${low} to ${high}), ${formatCount(flips)} labels changed`,
  ];
}

function kept(notPruned: PruningReport["notPruned"]): string[] {
  const counts = new Map<string, number>();
  for (const { op, reason } of notPruned) {
    counts.set(`${op}: ${reason}`, (counts.get(`${op}: ${reason}`) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `  not pruned: ${count} × ${reason}`);
}

const remarks = (warnings: readonly string[]): string[] => warnings.map((warning) => `  note: ${warning}`);
