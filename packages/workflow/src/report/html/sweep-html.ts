import { sweepOperation } from "../../operations/sweep.js";
import type { SettingsOf } from "../../schema/option.js";
import { stepsText } from "../../sweep/candidate.js";
import type { SweepResult } from "../../sweep/sweep-result.js";
import { formatBytes, formatPercent } from "../format.js";
import { endedTable, frontierTable, rungLines, selectedLine } from "../sweep-text.js";
import { type Fact, factTable, type Html, htmlList, htmlTable, plots, section } from "./markup.js";
import { htmlPage } from "./page.js";
import { openCanvas } from "./plots/canvas.js";
import { drawLosses } from "./plots/loss.js";
import { drawSweep } from "./plots/sweep.js";
import { runOf } from "./run.js";

/** The report of a sweep as one self-contained page. */
export async function sweepHtml(
  result: SweepResult,
  settings: SettingsOf<typeof sweepOperation.options>,
): Promise<Html> {
  const { frontier, recipes, metric } = result;
  const canvas = await openCanvas();
  const selected = selectedLine(result);
  const facts: Fact[] = [
    ["Sweep", result.sweep],
    ["Model", `${result.model}, ${formatBytes(result.modelBytes)}, ${formatPercent(result.value)} ${metric}`],
    ["Measured on", result.validation],
    ...(selected === undefined ? [] : [["Selected", selected] as const]),
  ];
  const numbers = new Map(frontier.map(({ name }, index) => [name, String(index + 1)]));
  const judged = recipes.flatMap(({ name, steps, group, bytes, rungs }) => {
    const last = rungs.at(-1);
    if (bytes === null || last === undefined) return [];
    const sign = numbers.get(name);
    return [{ name: stepsText(steps), group, bytes, loss: last.loss, sign }];
  });
  const losses = frontier.map(({ loss, lossCi95 }, index) => ({
    name: String(index + 1),
    loss,
    interval: lossCi95,
  }));
  const frontierRows = frontierTable(result);
  const ended = endedTable(recipes);
  const body = [
    factTable(facts),
    section(
      "Frontier",
      plots(drawSweep(canvas, judged), drawLosses(canvas, metric, losses, null)),
      htmlTable(frontierRows.head, frontierRows.rows),
    ),
    section("Rungs", htmlList(rungLines(result.rungs))),
    section("Recipes that ended on the way", htmlTable(ended.head, ended.rows)),
    section(
      "Files",
      htmlTable(
        ["", "path", "SHA-256"],
        frontier.map(({ path, sha256 }, index) => [String(index + 1), path, sha256]),
      ),
    ),
  ];
  const run = runOf(sweepOperation, settings, {
    operand: result.sweep,
    paths: [result.model, result.output],
  });
  return htmlPage(`Sweep ${result.sweep}`, run, body.join(""));
}
