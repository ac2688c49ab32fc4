import type { ComparedModel } from "../../comparison/compared-model.js";
import type { FlippedWords } from "../../comparison/write-flips.js";
import { compareOperation } from "../../operations/quantize.js";
import { batchMatesText } from "../comparison-text.js";
import { formatBytes, formatCount, formatMs, formatPercent, formatRatio } from "../format.js";
import { metricName } from "../score-table.js";
import { flipsHtml } from "./flips-html.js";
import { agreementLines } from "../agreement-text.js";
import { type Html, htmlList, htmlTable, paragraph, plots, section } from "./markup.js";
import { htmlPage } from "./page.js";
import { openCanvas } from "./plots/canvas.js";
import { drawFrontier } from "./plots/frontier.js";
import { drawLatencies } from "./plots/latencies.js";
import { drawLosses } from "./plots/loss.js";
import { drawSizes, drawValues } from "./plots/sizes.js";
import { runOf } from "./run.js";

/** What a report of compared models is made of. */
export interface ReportedComparison {
  readonly comparison: {
    readonly examples: number;
    /** Null for models that are no taggers. */
    readonly tokens: number | null;
    readonly models: readonly ComparedModel[];
  };
  readonly settings: { readonly threads: number; readonly models: readonly string[] };
  /** Milliseconds a sentence of each model. */
  readonly latencies: readonly Parameters<typeof drawLatencies>[1][number][];
  /** Of each model but the first. */
  readonly flipped: readonly FlippedWords[];
}

/** Models side by side as one self-contained page. */
export async function comparisonHtml(reported: ReportedComparison): Promise<Html> {
  const { comparison, settings, latencies, flipped } = reported;
  const { models, examples, tokens } = comparison;
  const canvas = await openCanvas();
  const { metric = "accuracy" } = models[0] ?? {};
  const sized = models.map(({ path, modelBytes, value }, i) => ({
    name: path,
    sign: String(i + 1),
    bytes: modelBytes,
    value,
  }));
  const losses = models.flatMap(({ path, summary }) =>
    summary === null ? [] : [{ name: path, loss: summary.loss, interval: summary.lossCi95 }],
  );
  const body = [
    paragraph(
      tokens === null
        ? `${formatCount(examples)} samples`
        : `${formatCount(examples)} sentences, ${formatCount(tokens)} words`,
    ),
    htmlTable(
      [
        "model",
        "precision",
        metricName(metric),
        "loss, points",
        "95% interval",
        "labels changed",
        "size",
        "memory",
        "sentence",
        "speed",
        "labels that depend on the batch",
      ],
      models.map(({ path, precision, value, summary, batchMates, ...model }) => [
        path,
        precision,
        formatPercent(value),
        summary === null ? "" : points(summary.loss),
        summary === null ? "" : summary.lossCi95.map(points).join(" to "),
        summary === null ? "" : formatCount(summary.flips),
        formatBytes(model.modelBytes),
        formatBytes(model.memoryBytes),
        formatMs(model.msPerSentence),
        summary === null ? "" : formatRatio(summary.speedup),
        batchMates === null ? "" : batchMatesText(batchMates),
      ]),
    ),
    section(
      "Side by side",
      plots(
        drawSizes(canvas, sized),
        drawValues(canvas, metric, sized),
        drawLosses(canvas, metric, losses, null),
        drawLatencies(canvas, latencies),
        models.length > 2 ? drawFrontier(canvas, metric, sized) : "",
      ),
    ),
    ...models.flatMap(({ path, summary }) =>
      summary?.agreement === undefined
        ? []
        : [section(`Agreement of ${path} with the original`, htmlList(agreementLines(summary.agreement)))],
    ),
    ...flipped.map((words, i) =>
      section(
        flipped.length === 1
          ? tokens === null
            ? "Answers that changed"
            : "Words that changed their label"
          : `Words with another label in ${models[i + 1]?.path}`,
        flipsHtml(words),
      ),
    ),
  ];
  const [original, ...quantized] = settings.models;
  const run = runOf(compareOperation, { ...settings, original, quantized });
  return htmlPage(`Comparison with ${original}`, run, body.join(""));
}

const points = (loss: number): string => (Math.round(loss * 1e4) / 100 + 0).toFixed(2);
