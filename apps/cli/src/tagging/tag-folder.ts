import { constants } from "node:os";
import { InputError, UsageError } from "@nasty/workflow/command";
import { formatBytes, formatCount, formatDuration } from "@nasty/workflow/report";
import {
  mergeShards,
  type MergeResult,
  runTagCorpus,
  type TagCorpusResult,
} from "@nasty/workflow/tag-corpus";
import type { CommonOptions, Terminal } from "../terminal/console.js";
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
  const result = await untilSignal(terminal, (reporter) => runTagCorpus(settings, reporter, inputs));
  terminal.result(result, () => corpusText(result));
  const [first] = result.failed;
  if (first === undefined) return;
  throw new InputError(
    `tag: ${result.failed.length} of ${result.texts} texts failed, the others are done; first ${first.input}: ${first.error}`,
  );
}

async function merge(output: string, terminal: Terminal, inputs: readonly string[]): Promise<void> {
  if (inputs.length > 0) {
    throw new UsageError(
      `tag: --merge: expected no texts beside it, got ${inputs[0]}; it takes the folder that --output names`,
    );
  }
  const result = await untilSignal(terminal, (reporter) => mergeShards(output, reporter));
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

function corpusText({ part, failed, ...result }: TagCorpusResult): string {
  const { written, found, words, sentences, bytes, seconds, wordsPerSecond } = result;
  const which = part === null ? "" : ` (part ${part.index} of ${part.of})`;
  return [
    `${result.output}: ${written} shards written, ${found} found whole${which}`,
    `  ${formatCount(words)} words in ${formatCount(sentences)} sentences, ${formatBytes(bytes)}`,
    `  ${formatDuration(seconds)} with ${result.workers} at once, ${formatCount(Math.round(wordsPerSecond))} words/s`,
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

class Interrupted extends Error {
  override readonly name = "Interrupted";
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Lets a signal end work in good order: workers leave, nothing is half-written, and what is done is kept. A second
 * signal ends it at once.
 */
async function untilSignal<T>(terminal: Terminal, work: (reporter: Terminal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let code: number | undefined;
  const heard = (signal: NodeJS.Signals): void => {
    const isSecond = code !== undefined;
    code = 128 + constants.signals[signal];
    if (isSecond) process.exit(code);
    terminal.note("interrupted: the same command goes on behind the last whole shard");
    controller.abort(new Interrupted(signal));
  };
  for (const signal of signals) process.prependListener(signal, heard);
  try {
    return await work({ ...terminal, signal: controller.signal });
  } catch (error) {
    if (error instanceof Interrupted) process.exit(code);
    throw error;
  } finally {
    for (const signal of signals) process.removeListener(signal, heard);
  }
}
