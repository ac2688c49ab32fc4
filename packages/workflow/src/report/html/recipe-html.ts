import { pipelineOperation } from "../../operations/files.js";
import type { SettingsOf } from "../../schema/option.js";
import { type PipelineResult, stageName, stageNotes, stageTable } from "../recipe-text.js";
import { type Fact, factTable, type Html, htmlList, htmlTable, plots, section } from "./markup.js";
import { htmlPage } from "./page.js";
import { openCanvas } from "./plots/canvas.js";
import { drawFrontier } from "./plots/frontier.js";
import { drawLatencies } from "./plots/latencies.js";
import { drawLosses } from "./plots/loss.js";
import { drawSizes, drawValues } from "./plots/sizes.js";
import { runOf } from "./run.js";

/** The report of a pipeline as one self-contained page. */
export async function recipeHtml(
  result: PipelineResult,
  settings: SettingsOf<typeof pipelineOperation.options>,
): Promise<Html> {
  const { stages, refused } = result;
  const canvas = await openCanvas();
  const { head, rows } = stageTable(stages);
  const facts: Fact[] = [
    ["Recipe", result.recipe],
    ["Model", result.model],
    ["Measured on", result.test ?? "nothing: no test text"],
    ...(refused === null ? [] : [["Refused", `step ${refused.step}: ${refused.message}`] as const]),
  ];
  const written = stages.flatMap((stage) =>
    stage.output === null
      ? []
      : [{ ...stage, name: stageName(stage), sign: String(stage.step), ...stage.output }],
  );
  const metric = stages[0]?.metric === "f1" ? "f1" : "accuracy";
  const measured = written.flatMap((stage) =>
    stage.value === null ? [] : [{ ...stage, value: stage.value }],
  );
  const losses = measured.flatMap(({ step, name, loss, lossCi95 }) =>
    step === 0 || loss === null ? [] : [{ name, loss, interval: lossCi95 }],
  );
  const latencies = written.flatMap(({ name, msPerSentence }) =>
    msPerSentence === null ? [] : [{ name, ...msPerSentence, samples: [] }],
  );
  const body = [
    factTable(facts),
    section(
      "Models",
      plots(
        drawFrontier(canvas, metric, measured),
        drawSizes(canvas, written),
        drawValues(canvas, metric, measured),
        drawLosses(canvas, metric, losses, null),
        drawLatencies(canvas, latencies),
      ),
      htmlTable(head, rows),
    ),
    section(
      "Files",
      htmlTable(
        ["step", "path", "SHA-256"],
        written.map(({ step, kind, path, sha256 }) => [`${step} ${kind}`, path, sha256]),
      ),
    ),
    section("Notes", htmlList(stageNotes(stages))),
  ];
  const run = runOf(pipelineOperation, settings, {
    operand: result.recipe,
    paths: [result.model, result.output],
  });
  return htmlPage(`Pipeline ${result.recipe}`, run, body.join(""));
}
