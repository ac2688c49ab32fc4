import { availableDevices, environment } from "@nasty/runtime";
import { readModelFile } from "@nasty/formats/onnx/node";
import { InputError, UsageError } from "../errors.js";
import { checkWritable } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";
import { sampleTextPath } from "../models/default-model.js";
import { bytesOfModel } from "../models/model-bytes.js";
import type { ModelLike } from "../models/model-like.js";
import { type OpenSubject, withSubjects } from "../kinds/open-subject.js";
import type { Reading, Sample } from "../kinds/kind.js";
import { ownSamples } from "../quantization/trial-text.js";
import { benchmarkOperation } from "../operations/tagging.js";
import { type GivenBeside, perform } from "../perform.js";
import { benchmarkHtml } from "../report/html/benchmark-html.js";
import { writeReport } from "../report/html/write-report.js";
import { labellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { choiceOf } from "../texts/label-choice.js";
import type { BenchmarkResult, ModelFigures } from "./benchmark-result.js";
import { sampleLatencies, timesOf } from "./sentence-latency.js";
import { measureSubjectMemory } from "./subject-memory.js";

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
  const files = options.data === undefined ? [] : [options.data];
  const choice = choiceOf(options);
  return withSubjects(paths, { threads, ...choice }, { files, operation: "benchmark" }, async (open) => {
    const [{ reading }] = open;
    const sentences = await samplesFor(open[0], options);
    const words = reading.name === "token-classification" ? wordsIn(sentences) : null;
    progress.start(
      `measuring ${paths.length === 1 ? "1 model" : `${paths.length} models in turn`} on ${sentences.length} ${reading.noun}`,
    );
    const latencies = await sampleLatencies(
      open.map(({ subject }) => subject),
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
        tokensPerSecond: words === null ? null : (words / sentences.length / msPerSentence.p50) * 1000,
        memoryBytes: await measureSubjectMemory(open[index]!, sentences.slice(0, 200), threads, choice),
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
function taskOf({ kind, opened }: OpenSubject): Pick<ModelFigures, "kind" | "task" | "labelling"> {
  if (opened === undefined) {
    return { ...(kind !== "token-classification" && { kind }), task: null, labelling: null };
  }
  const { task, labelling } = opened.tagger;
  return { task, labelling: labelling === undefined ? null : labellingDocument(labelling) };
}

const wordsIn = (sentences: readonly Sample[]): number =>
  (sentences as readonly (readonly string[])[]).reduce((sum, sentence) => sum + sentence.length, 0);

/** Samples of the data, else of the embedded sample text; of a graph that nobody feeds inputs that are made for it. */
async function samplesFor(
  { modelPath, reading }: OpenSubject,
  { data, samples: count }: SettingsOf<typeof benchmarkOperation.options>,
): Promise<readonly Sample[]> {
  if (data === undefined && reading.noun === "samples")
    return ownSamples(reading, await readModelFile(modelPath));
  return readSamples(reading, data ?? sampleTextPath(), count);
}

async function readSamples(reading: Reading, source: string, count: number): Promise<readonly Sample[]> {
  const found: Sample[] = [];
  for await (const sample of reading.read(source)) {
    found.push(sample);
    if (found.length >= count) break;
  }
  if (found.length === 0)
    throw new InputError(`benchmark: ${source}: ${reading.noun}: expected at least 1, got 0`);
  return found;
}
