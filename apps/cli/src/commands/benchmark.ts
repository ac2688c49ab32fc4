import { availableDevices, environment } from "@nasty/runtime";
import type { LabelChoice, Task } from "@nasty/taggers";
import { InputError } from "@nasty/workflow/errors";
import { bytesOfModel } from "@nasty/workflow/models/model-bytes";
import { choiceOf } from "@nasty/workflow/texts/label-choice";
import { readWords } from "@nasty/workflow/texts/unlabelled-text";
import { type OpenModel, openModel } from "@nasty/workflow/models/open-tagger";
import { sentenceLatencies } from "@nasty/workflow/measurement/sentence-latency";
import { measureTaggerMemory } from "@nasty/workflow/measurement/tagger-memory";
import { type LabellingDocument, labellingDocument } from "@nasty/workflow/report/labelling-text";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatCount, formatMs, formatRatio, table } from "@nasty/workflow/report/format";

interface BenchmarkOptions extends CommonOptions, LabelChoice {
  readonly model: string;
  readonly compare: readonly string[];
  readonly environment: "production" | "development";
  readonly samples: number;
  readonly batchSize: number;
  readonly data?: string;
}

interface ModelFigures {
  readonly path: string;
  readonly task: Task;
  readonly labelling: LabellingDocument | null;
  readonly modelBytes: number;
  readonly msPerSentence: {
    readonly p50: number;
    readonly p95: number;
    readonly mean: number;
    readonly ci95: readonly [number, number];
  };
  readonly tokensPerSecond: number;
  readonly memoryBytes: number;
}

const rounds = { production: 15, development: 3 } as const;

/** `nasty benchmark`: speed and memory of one or more models on the same sentences, in turn. */
export async function benchmark(options: BenchmarkOptions, terminal: Terminal): Promise<void> {
  const { threads, seed, batchSize } = options;
  const paths = [options.model, ...options.compare];
  const sentences = await sampleSentences(options.data, options.samples);
  const words = sentences.reduce((sum, sentence) => sum + sentence.length, 0);
  const open: OpenModel[] = [];
  try {
    for (const path of paths) open.push(await openModel(path, { threads, ...choiceOf(options) }));
    terminal.progress.start(
      `measuring ${paths.length === 1 ? "1 model" : `${paths.length} models in turn`} on ${sentences.length} sentences`,
    );
    const latencies = await sentenceLatencies(
      open.map(({ tagger }) => tagger),
      sentences,
      { seed, batchSize, rounds: rounds[options.environment] },
    );
    terminal.progress.stop();
    const models: ModelFigures[] = [];
    for (const [index, path] of paths.entries()) {
      terminal.progress.start(`measuring the memory of ${path} in a fresh process`);
      const { p50, p95, mean, ci95 } = latencies[index]!;
      models.push({
        path,
        ...taskOf(open[index]!),
        modelBytes: await bytesOfModel(open[index]!.modelPath),
        msPerSentence: { p50, p95, mean, ci95 },
        tokensPerSecond: (words / sentences.length / p50) * 1000,
        memoryBytes: await measureTaggerMemory(path, sentences.slice(0, 200), threads, choiceOf(options)),
      });
      terminal.progress.stop();
    }
    const result = {
      environment: { ...environment({ threads }), devices: await availableDevices() },
      sentences: sentences.length,
      words,
      batchSize,
      models,
    };
    terminal.result(result, () => {
      const { cpu, instructionSets, node, onnxruntime, devices } = result.environment;
      const first = models[0]!;
      return [
        `${cpu} (${instructionSets.join(", ") || "instruction sets unknown"}), ${threads} thread${threads === 1 ? "" : "s"}, Node ${node}, ONNX Runtime ${onnxruntime} (${devices.join(", ")})`,
        `${formatCount(sentences.length)} sentences, ${formatCount(words)} words, batch ${batchSize}, models in turn, medians`,
        "",
        table(
          ["model", "size", "ms/sentence p50", "p95", "words/s", "memory", "speed"],
          models.map(({ path, modelBytes, msPerSentence, tokensPerSecond, memoryBytes }) => [
            path,
            formatBytes(modelBytes),
            formatMs(msPerSentence.p50),
            formatMs(msPerSentence.p95),
            formatCount(tokensPerSecond),
            formatBytes(memoryBytes),
            formatRatio(first.msPerSentence.p50 / msPerSentence.p50),
          ]),
        ),
      ].join("\n");
    });
  } finally {
    for (const { tagger } of open) await tagger.close();
  }
}

/** What a model's labels were taken for: entities are decoded by their scheme, which takes time. */
function taskOf({ tagger }: OpenModel): Pick<ModelFigures, "task" | "labelling"> {
  const { task, labelling } = tagger;
  return { task, labelling: labelling === undefined ? null : labellingDocument(labelling) };
}

async function sampleSentences(
  path: string | undefined,
  count: number,
): Promise<readonly (readonly string[])[]> {
  const source = path ?? (await import("@nasty/workflow/models/default-model")).sampleTextPath();
  const sentences: (readonly string[])[] = [];
  for await (const words of readWords(source)) {
    if (words.length > 0) sentences.push(words);
    if (sentences.length >= count) break;
  }
  if (sentences.length === 0)
    throw new InputError(`benchmark: ${source}: sentences: expected at least 1, got 0`);
  return sentences;
}
