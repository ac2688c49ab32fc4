import { InputError, UsageError } from "@nasty/workflow/command";
import { formatBytes, formatCount, formatDuration } from "@nasty/workflow/report";
import {
  mergeShards,
  type MergeResult,
  runTagCorpus,
  type TagCorpusResult,
} from "@nasty/workflow/tag-corpus";
import { loadQueue } from "../queue/load-queue.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { untilSignal } from "../terminal/until-signal.js";
import type { TagCommandOptions } from "./tag-options.js";

type FolderOptions = TagCommandOptions & CommonOptions & { readonly output: string };

/** `nasty tag --output`: a corpus into a folder of shards, and `--merge`, which checks and joins them. */
export async function tagFolder(
  options: FolderOptions,
  terminal: Terminal,
  inputs: readonly string[],
): Promise<void> {
  const { output, format, aggregation } = options;
  if (options.merge === true) return merge(output, terminal, inputs);
  if (format === "json" || format === "entities" || aggregation !== undefined) {
    const given = aggregation === undefined ? `--format ${format}` : "--aggregation";
    throw new UsageError(
      `tag: ${given}: expected --format text, conllu, jsonl, columns or parquet beside --output, got ${given}`,
    );
  }
  const { format: _, ...others } = options;
  const settings = { ...others, ...(format !== undefined && { format }) };
  const result = await untilSignal(terminal, goesOn, (reporter) => tagged(settings, reporter, inputs));
  terminal.result(result, () => corpusText(result));
  const [first] = result.failed;
  if (first === undefined) return;
  throw new InputError(
    `tag: ${result.failed.length} of ${result.texts} texts failed, the others are done; first ${first.input}: ${first.error}`,
  );
}

const goesOn = "the same command goes on behind the last whole shard";

type Result = Omit<TagCorpusResult, "part" | "workers"> &
  Partial<TagCorpusResult> & { readonly queue?: string };

async function tagged(
  {
    queue,
    workers,
    shard,
    failFast,
    ...settings
  }: Parameters<typeof runTagCorpus>[0] & { readonly queue?: string },
  terminal: Terminal,
  inputs: readonly string[],
): Promise<Result> {
  if (queue !== undefined) {
    const { runQueueCorpus } = await loadQueue("tag");
    return runQueueCorpus({ ...settings, queue }, terminal, inputs);
  }
  const own = { ...(workers && { workers }), ...(shard && { shard }), ...(failFast && { failFast }) };
  return runTagCorpus({ ...settings, ...own }, terminal, inputs);
}

async function merge(output: string, terminal: Terminal, inputs: readonly string[]): Promise<void> {
  if (inputs.length > 0) {
    throw new UsageError(
      `tag: --merge: expected no texts beside it, got ${inputs[0]}; it takes the folder that --output names`,
    );
  }
  const result = await untilSignal(terminal, goesOn, (reporter) => mergeShards(output, reporter));
  terminal.result(result, () => mergeText(result));
  const { lacking, failed, shards } = result;
  if (lacking[0] !== undefined) {
    throw new InputError(
      `tag: --merge: ${output}: expected ${shards} shards, got ${shards - lacking.length} whole ones; run the missing jobs again: first ${lacking[0].name} of ${lacking[0].input} is ${lacking[0].state}`,
    );
  }
  if (failed[0] !== undefined) {
    throw new InputError(
      `tag: --merge: ${failed.length} texts have no shards; first ${failed[0].input}: ${failed[0].error}`,
    );
  }
}

function corpusText({ part, failed, ...result }: Result): string {
  const { written, found, words, sentences, bytes, seconds, wordsPerSecond, workers, queue } = result;
  const which = part ? ` (part ${part.index} of ${part.of})` : "";
  const whose = queue === undefined ? `with ${workers} at once` : `by the workers of ${queue}`;
  return [
    `${result.output}: ${written} shards written, ${found} found whole${which}`,
    `  ${formatCount(words)} words in ${formatCount(sentences)} sentences, ${formatBytes(bytes)}`,
    `  ${formatDuration(seconds)} ${whose}, ${formatCount(Math.round(wordsPerSecond))} words/s`,
    ...failed.map(({ input, error }) => `  failed: ${input}: ${error}`),
  ].join("\n");
}

function mergeText({
  output,
  shards,
  words,
  sentences,
  bytes,
  lacking,
  failed,
  merged,
}: MergeResult): string {
  return [
    `${output}: ${shards - lacking.length} of ${shards} shards are whole`,
    `  ${formatCount(words)} words in ${formatCount(sentences)} sentences, ${formatBytes(bytes)}`,
    ...lacking.map(({ name, input, state }) => `  ${state}: ${name} of ${input}`),
    ...failed.map(({ input, error }) => `  failed: ${input}: ${error}`),
    ...merged.map((file) => `  ${file.path}: ${formatBytes(file.bytes)}`),
  ].join("\n");
}
