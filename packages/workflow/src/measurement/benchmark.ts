import { availableDevices, type Device, environment, type Environment } from "@nasty/runtime";
import type { Task } from "@nasty/taggers";
import { InputError, UsageError } from "../errors.js";
import { sampleTextPath } from "../models/default-model.js";
import { bytesOfModel } from "../models/model-bytes.js";
import type { ModelLike } from "../models/model-like.js";
import { type OpenModel, openModel } from "../models/open-tagger.js";
import { benchmarkOperation } from "../operations/tagging.js";
import { type GivenBeside, perform } from "../perform.js";
import { type LabellingDocument, labellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { choiceOf } from "../texts/label-choice.js";
import { readWords } from "../texts/unlabelled-text.js";
import { sentenceLatencies } from "./sentence-latency.js";
import { measureTaggerMemory } from "./tagger-memory.js";

/** Speed and memory of one model. */
export interface ModelFigures {
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

/** Speed and memory of models that were measured in turn on the same sentences. */
export interface BenchmarkResult {
  readonly environment: Environment & { readonly devices: readonly Device[] };
  readonly sentences: number;
  readonly words: number;
  readonly batchSize: number;
  readonly models: readonly ModelFigures[];
}

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
  const sentences = await sampleSentences(options.data, options.samples);
  const words = sentences.reduce((sum, sentence) => sum + sentence.length, 0);
  const open: OpenModel[] = [];
  try {
    for (const path of paths) open.push(await openModel(path, { threads, ...choiceOf(options) }));
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
      const { p50, p95, mean, ci95 } = latencies[index]!;
      models.push({
        path,
        ...taskOf(open[index]!),
        modelBytes: await bytesOfModel(open[index]!.modelPath),
        msPerSentence: { p50, p95, mean, ci95 },
        tokensPerSecond: (words / sentences.length / p50) * 1000,
        memoryBytes: await measureTaggerMemory(path, sentences.slice(0, 200), threads, choiceOf(options)),
      });
      progress.stop();
    }
    return {
      environment: { ...environment({ threads }), devices: await availableDevices() },
      sentences: sentences.length,
      words,
      batchSize,
      models,
    };
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
