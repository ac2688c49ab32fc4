import type { BenchmarkResult } from "../../measurement/benchmark-result.js";
import { benchmarkOperation } from "../../operations/tagging.js";
import type { SettingsOf } from "../../schema/option.js";
import { formatBytes, formatCount, formatMs, formatRatio } from "../format.js";
import { type Html, htmlTable, paragraph, plots, section } from "./markup.js";
import { htmlPage } from "./page.js";
import { openCanvas } from "./plots/canvas.js";
import { drawLatencies, type ModelLatency } from "./plots/latencies.js";
import { drawSizes } from "./plots/sizes.js";
import { runOf } from "./run.js";

/** `1,000 sentences, 16,000 words`, or how many samples there are. */
const samplesText = (sentences: number, words: number | null): string =>
  words === null
    ? `${formatCount(sentences)} samples`
    : `${formatCount(sentences)} sentences, ${formatCount(words)} words`;

/** Speed and memory of models as one self-contained page. */
export async function benchmarkHtml(
  { models, sentences, words, batchSize, environment }: BenchmarkResult,
  settings: SettingsOf<typeof benchmarkOperation.options>,
  latencies: readonly ModelLatency[],
): Promise<Html> {
  const canvas = await openCanvas();
  const first = models[0]!;
  const body = [
    paragraph(
      `${samplesText(sentences, words)}, batches of ${batchSize}, models in turn, on ${environment.devices.join(", ")}`,
    ),
    htmlTable(
      ["model", "size", "ms/sentence p50", "p95", "mean, 95% interval", "words/s", "memory", "speed"],
      models.map(({ path, modelBytes, msPerSentence: { p50, p95, ci95 }, tokensPerSecond, memoryBytes }) => [
        path,
        formatBytes(modelBytes),
        formatMs(p50),
        formatMs(p95),
        ci95.map(formatMs).join(" to "),
        tokensPerSecond === null ? "" : formatCount(tokensPerSecond),
        formatBytes(memoryBytes),
        formatRatio(first.msPerSentence.p50 / p50),
      ]),
    ),
    section(
      "Speed and size",
      plots(
        drawLatencies(canvas, latencies),
        drawSizes(
          canvas,
          models.map(({ path, modelBytes }) => ({ name: path, bytes: modelBytes })),
        ),
      ),
    ),
  ];
  return htmlPage(
    models.length === 1 ? `Benchmark of ${first.path}` : "Benchmark",
    runOf(benchmarkOperation, settings),
    body.join(""),
  );
}
