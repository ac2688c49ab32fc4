import { availableDevices, environment } from "@nasty/runtime";
import { InputError, UsageError } from "../errors.js";
import { checkWritable } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";
import { sampleTextPath } from "../models/default-model.js";
import { bytesOfModel } from "../models/model-bytes.js";
import type { ModelLike } from "../models/model-like.js";
import { type OpenModel, withOpen } from "../models/open-tagger.js";
import { benchmarkOperation } from "../operations/tagging.js";
import { type GivenBeside, perform } from "../perform.js";
import { benchmarkHtml } from "../report/html/benchmark-html.js";
import { writeReport } from "../report/html/write-report.js";
import { labellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { choiceOf } from "../texts/label-choice.js";
import { readWords } from "../texts/unlabelled-text.js";
import type { BenchmarkResult, ModelFigures } from "./benchmark-result.js";
import { sentenceLatencies, timesOf } from "./sentence-latency.js";
import { measureTaggerMemory } from "./tagger-memory.js";

export type { BenchmarkResult } from "./benchmark-result.js";

const rounds = { production: 15, development: 3 } as const;

/**
 * Measures speed and memory of one or more models on the same sentences, in turn.
 *
 * @param models the first one is what the others are compared with
 */
export function benchmark(
  models: ModelLike | readonly ModelLike[],
  options: GivenBeside<typeof benchmarkOperation.options, "model" | "compare"> = {},
): Promise<BenchmarkResult> {
  const [model, ...compare] = Array.isArray(models)
    ? (models as readonly ModelLike[])
    : [models as ModelLike];
  if (model === undefined) throw new UsageError("benchmark: models: expected at least 1, got none");
  return perform(benchmarkOperation, { model, compare, ...options }, runBenchmark);
}

/** {@link benchmark} from checked settings. */
export async function runBenchmark(
  options: SettingsOf<typeof benchmarkOperation.options>,
  { progress }: Reporter,
): Promise<BenchmarkResult> {
  const { threads, seed, batchSize } = options;
  const paths = [options.model, ...options.compare];
  if (options.report !== undefined) await checkWritable("benchmark: --report", options.report);
  await checkSeparate("benchmark", { "--report": options.report }, [...paths, options.data]);
  const sentences = await sampleSentences(options.data, options.samples);
  const words = sentences.reduce((sum, sentence) => sum + sentence.length, 0);
  return withOpen(paths, { threads, ...choiceOf(options) }, async (open) => {
    progress.start(
      `measuring ${paths.length === 1 ? "1 model" : `${paths.length} models in turn`} on ${sentences.length} sentences`,
    );
    const latencies = await sentenceLatencies(
      open.map(({ tagger }) => tagger),
      sentences,
      { seed, batchSize, rounds: rounds[options.environment] },
    );
    progress.stop();
    const models: ModelFigures[] = [];
    for (const [index, path] of paths.entries()) {
      progress.start(`measuring the memory of ${path} in a fresh process`);
      const msPerSentence = timesOf(latencies[index]!);
      models.push({
        path,
        ...taskOf(open[index]!),
        modelBytes: await bytesOfModel(open[index]!.modelPath),
        msPerSentence,
        tokensPerSecond: (words / sentences.length / msPerSentence.p50) * 1000,
        memoryBytes: await measureTaggerMemory(path, sentences.slice(0, 200), threads, choiceOf(options)),
      });
      progress.stop();
    }
    const result: BenchmarkResult = {
      environment: { ...environment({ threads }), devices: await availableDevices() },
      sentences: sentences.length,
      words,
      batchSize,
      models,
    };
    if (options.report !== undefined) {
      const timed = latencies.map((latency, index) => ({ ...latency, name: paths[index]! }));
      await writeReport(options.report, await benchmarkHtml(result, options, timed));
    }
    return result;
  });
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
  const source = path ?? sampleTextPath();
  const sentences: (readonly string[])[] = [];
  for await (const words of readWords(source)) {
    if (words.length > 0) sentences.push(words);
    if (sentences.length >= count) break;
  }
  if (sentences.length === 0)
    throw new InputError(`benchmark: ${source}: sentences: expected at least 1, got 0`);
  return sentences;
}
