import { type BenchmarkResult, runBenchmark } from "@nasty/workflow/benchmark";
import { formatBytes, formatCount, formatMs, formatRatio, table } from "@nasty/workflow/report";
import type { Terminal } from "../terminal/console.js";

/** `nasty benchmark`: speed and memory of one or more models on the same sentences, in turn. */
export async function benchmark(
  options: Parameters<typeof runBenchmark>[0],
  terminal: Terminal,
): Promise<void> {
  const result = await runBenchmark(options, terminal);
  terminal.result(result, () => benchmarkText(result, options.threads));
}

function benchmarkText(
  { environment, sentences, words, batchSize, models }: BenchmarkResult,
  threads: number,
): string {
  const { cpu, instructionSets, node, onnxruntime, devices } = environment;
  const first = models[0]!;
  return [
    `${cpu} (${instructionSets.join(", ") || "instruction sets unknown"}), ${threads} thread${threads === 1 ? "" : "s"}, Node ${node}, ONNX Runtime ${onnxruntime} (${devices.join(", ")})`,
    `${words === null ? `${formatCount(sentences)} samples` : `${formatCount(sentences)} sentences, ${formatCount(words)} words`}, batch ${batchSize}, models in turn, medians`,
    "",
    table(
      ["model", "size", "ms/sentence p50", "p95", "words/s", "memory", "speed"],
      models.map(({ path, modelBytes, msPerSentence, tokensPerSecond, memoryBytes }) => [
        path,
        formatBytes(modelBytes),
        formatMs(msPerSentence.p50),
        formatMs(msPerSentence.p95),
        tokensPerSecond === null ? "" : formatCount(tokensPerSecond),
        formatBytes(memoryBytes),
        formatRatio(first.msPerSentence.p50 / msPerSentence.p50),
      ]),
    ),
  ].join("\n");
}
