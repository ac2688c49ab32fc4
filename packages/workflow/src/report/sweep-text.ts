import { stepsText } from "../sweep/candidate.js";
import type { FrontierRecipe, SweepPlan, SweepResult, SweptRecipe } from "../sweep/sweep-result.js";
import { formatBytes, formatMs, formatPercent, formatRatio } from "./format.js";
import { table } from "./table.js";

const points = (share: number): string => (share * 100).toFixed(2);

/** Head and rows of the table of the frontier. */
export function frontierTable({ frontier, metric }: Pick<SweepResult, "frontier" | "metric">) {
  return {
    head: [
      "",
      "recipe",
      "size",
      "smaller",
      metric,
      "loss, points",
      "95%",
      "changed",
      "ms/sentence",
      "faster",
    ],
    rows: frontier.map((one, index) => [
      String(index + 1),
      stepsText(one.steps),
      formatBytes(one.bytes),
      formatRatio(one.sizeRatio),
      formatPercent(one.value),
      points(one.loss),
      one.lossCi95.map(points).join(" to "),
      String(one.flips),
      formatMs(one.msPerSentence),
      formatRatio(one.speedup),
    ]),
  };
}

/** Head and rows of the table of recipes that ended on the way, the last first. */
export function endedTable(recipes: readonly SweptRecipe[]) {
  const ended = recipes
    .flatMap((one) => (one.ended === null ? [] : [{ ...one, ended: one.ended }]))
    .toSorted((a, b) => b.ended.rung - a.ended.rung);
  return {
    head: ["rung", "recipe", "size", "loss, points", "samples", "why"],
    rows: ended.map(({ steps, bytes, rungs, ended: { rung, reason, message } }) => {
      const last = rungs.at(-1);
      return [
        String(rung),
        stepsText(steps),
        bytes === null ? "-" : formatBytes(bytes),
        last === undefined ? "-" : points(last.loss),
        last === undefined ? "-" : String(last.samples),
        `${reason}: ${message}`,
      ];
    }),
  };
}

/** `rung 1, 250 samples: 100 recipes, 52 ended`. */
export function rungLines(rungs: SweepResult["rungs"]): string[] {
  return rungs.map(
    ({ rung, samples, recipes, ended }) =>
      `rung ${rung}, ${samples} samples: ${recipes} recipes, ${ended} ended`,
  );
}

/** The file that was chosen, or why there is none. */
export function selectedLine(result: SweepResult): string | undefined {
  const { select, selected, frontier } = result;
  if (select === null) return undefined;
  if (selected === null) return `Selected by ${select}: none${closest(frontier)}`;
  const { output, gate } = selected;
  const lost = `loss ${points(gate.loss)} points (${formatPercent(gate.original)} -> ${formatPercent(gate.quantized)} ${gate.metric}, 95%: ${gate.lossCi95.map(points).join(" to ")})`;
  return output === null
    ? `Selected by ${select}: the written file does not do, ${lost}; nothing was kept`
    : `Selected by ${select}: ${output.path}, ${formatBytes(output.bytes)}, ${lost}`;
}

/** What came near. */
function closest(frontier: readonly FrontierRecipe[]): string {
  const [best] = frontier.toSorted((a, b) => a.loss - b.loss || a.bytes - b.bytes);
  return best === undefined
    ? "; every recipe lost more than --max-loss"
    : `; the least loss is ${points(best.loss)} points with ${formatBytes(best.bytes)}, the smallest file has ${formatBytes(frontier[0]?.bytes ?? 0)}`;
}

/** What a sweep found, for a person to read; MB = 10^6 bytes. */
export function sweepText(result: SweepResult): string {
  const { head, rows } = frontierTable(result);
  const selected = selectedLine(result);
  return [
    `Sweep ${result.sweep}: ${result.recipes.length} recipes on ${result.model} (${formatBytes(result.modelBytes)}, ${formatPercent(result.value)} ${result.metric}) -> ${result.output}`,
    ...rungLines(result.rungs).map((line) => `  ${line}`),
    "",
    ...(rows.length === 0 ? ["No recipe is left."] : [table(head, rows, ["left", "left"])]),
    "",
    `Measured on ${result.validation}; no other recipe of the same mode is no larger and loses no more. All recipes: frontier.json`,
    ...unmadeLines(result.recipes),
    ...(selected === undefined ? [] : ["", selected]),
  ].join("\n");
}

/** Recipes that gave no file, by what is the matter with them. */
function unmadeLines(recipes: readonly SweptRecipe[]): string[] {
  const reasons = new Map<string, SweptRecipe[]>();
  for (const recipe of recipes) {
    const { reason, message } = recipe.ended ?? {};
    if (reason !== "failed" && reason !== "refused") continue;
    const said = `${reason}: ${message}`;
    reasons.set(said, [...(reasons.get(said) ?? []), recipe]);
  }
  return [...reasons].map(
    ([said, [first, ...others]]) =>
      `${stepsText(first?.steps ?? [])}${others.length === 0 ? "" : ` and ${others.length} more`} ${said}`,
  );
}

/** What `--dry-run` prints. */
export function sweepPlanText({ sweep, model, output, combinations, recipes }: SweepPlan): string {
  const same = combinations === recipes.length ? "" : ` of ${combinations} combinations`;
  return [
    `Plan of ${sweep}: ${recipes.length} recipes${same} on ${model} -> ${output}`,
    "",
    ...recipes.map(({ steps }, index) => `${String(index + 1).padStart(4)}  ${stepsText(steps)}`),
  ].join("\n");
}
