import { availableParallelism } from "node:os";
import { InputError } from "../errors.js";
import { tagCorpusOperation } from "../operations/tagging.js";
import { type Given, perform } from "../perform.js";
import { type RunOptions, reporterOf, type Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import type { Part } from "../schema/values.js";
import { openLocalWorker } from "../shards/local-worker.js";
import { mergeShards, type MergeResult } from "../shards/merge-shards.js";
import { openProcessWorker } from "../shards/open-process.js";
import { planCorpus, type PlannedCorpus } from "../shards/plan-corpus.js";
import { type PreparedWorkers, prepareWorkers } from "../shards/prepared-workers.js";
import { runPlan, type ShardOutcome } from "../shards/run-plan.js";
import { openShardReader } from "../shards/shard-reader.js";
import type { Shard, ShardPlan } from "../shards/shard.js";
import type { WorkerModel } from "../shards/worker-messages.js";
import type { ShardWorker } from "../shards/worker.js";
import { readingFor, withReading } from "../texts/reading.js";
import { choiceOf } from "../texts/label-choice.js";
import { tallyOf, type Tally } from "./tally.js";

export { type LackingShard, mergeShards, type MergeResult } from "../shards/merge-shards.js";
export type { FailedText } from "./tally.js";

type Settings = SettingsOf<typeof tagCorpusOperation.options>;

/** What was done of a corpus. */
export interface TagCorpusResult extends Tally {
  /** The folder. */
  readonly output: string;
  /** Texts and shards of the whole corpus. */
  readonly texts: number;
  readonly shards: number;
  /** The part of the shards that was to be done; null for all. */
  readonly part: Part | null;
  readonly workers: number;
  readonly seconds: number;
  /** Of the words that were tagged in this run. */
  readonly wordsPerSecond: number;
}

/**
 * Tags files, folders and globs into a folder of shards: files of about 100,000 words that are named by all that they
 * depend on. What is there is not done again, so a run that ended early, however it did, is gone on with by the same
 * call, and several machines may each do a part.
 *
 * The bytes of the shards do not depend on the number of workers, nor on which of them died.
 *
 * @param inputs files (`.gz` and `.br` too), folders, globs
 * @returns counts, and the texts that could not be tagged: the others are done
 * @throws UsageError; InputError for a folder with another plan, which says what differs; with `failFast` for the first
 *   text that cannot be tagged; the signal's reason
 * @example
 * ```ts
 * const { failed } = await tagCorpus(["corpus/"], { output: "tagged", format: "parquet", workers: 4 });
 * ```
 */
export function tagCorpus(
  inputs: string | readonly string[],
  options: Given<typeof tagCorpusOperation.options>,
): Promise<TagCorpusResult> {
  const list = typeof inputs === "string" ? [inputs] : inputs;
  return perform(tagCorpusOperation, { ...options }, (settings, reporter) =>
    runTagCorpus(settings, reporter, list),
  );
}

/**
 * Checks the shards of all jobs in a folder, and joins those of each text to one file in `merged/`, if none is missing.
 *
 * @throws InputError for a folder without a plan; the signal's reason
 */
export function mergeCorpus(folder: string, options: RunOptions = {}): Promise<MergeResult> {
  return mergeShards(folder, reporterOf(options));
}

/** {@link tagCorpus} from checked settings. */
export function runTagCorpus(
  settings: Settings,
  reporter: Reporter,
  given: readonly string[],
): Promise<TagCorpusResult> {
  // There may be thousands of texts: what each was taken for is in the plan.
  return withReading(readingFor(settings), () => tagTexts(settings, reporter, given));
}

async function tagTexts(
  settings: Settings,
  reporter: Reporter,
  given: readonly string[],
): Promise<TagCorpusResult> {
  const { shard: part, resume = false } = settings;
  const wanted = settings.workers ?? availableParallelism();
  const prepared = prepareWorkers(wanted, () => openProcessWorker(workerModel(settings)));
  let cuts = 0;
  const onCut = (): void => {
    cuts++;
    // There is work for each of them.
    if (wanted > 1 && cuts === wanted * (part?.of ?? 1)) prepared.prepare();
  };
  try {
    const planned = await planCorpus({ ...settings, resume }, reporter, given, onCut);
    return await tagPlanned(settings, reporter, { ...planned, wanted, prepared });
  } finally {
    await prepared.close();
  }
}

interface Planned extends PlannedCorpus {
  readonly wanted: number;
  readonly prepared: PreparedWorkers;
}

async function tagPlanned(
  settings: Settings,
  reporter: Reporter,
  { plan, paths, wanted, prepared }: Planned,
): Promise<TagCorpusResult> {
  const { output, shard: part, failFast = false } = settings;
  const { note, progress, signal } = reporter;
  const mine = shardsOf(plan, part);
  const workers = Math.max(1, Math.min(wanted, mine.length));
  const reader = openShardReader(plan, paths);
  const tally = tallyOf(plan, mine);
  const started = performance.now();
  let hasNotes = false;
  const openWorker = async (): Promise<ShardWorker> => {
    // One worker needs no process of its own.
    const worker = await (workers === 1 ? openLocalWorker(workerModel(settings), signal) : prepared.take());
    if (!hasNotes) for (const one of worker.notes) note(one);
    hasNotes = true;
    return worker;
  };
  const onShard = (outcome: ShardOutcome): void => {
    tally.add(outcome);
    if (outcome.kind === "failed" && failFast) throw failure(plan, outcome);
    const seconds = (performance.now() - started) / 1000;
    progress.update(tally.wordsDone, tally.pace(seconds));
  };
  if (failFast) checkReadable(plan);
  progress.start(`tagging ${mine.length} shards with ${workersText(workers)}`, tally.wordsInAll);
  try {
    await runPlan(mine, { folder: output, reader, workers, openWorker, onShard, note, signal });
  } finally {
    await reader.close();
  }
  progress.stop();
  const seconds = (performance.now() - started) / 1000;
  return {
    output,
    texts: plan.inputs.length,
    shards: plan.shards.length,
    part: part ?? null,
    workers,
    ...tally.result(),
    seconds,
    wordsPerSecond: tally.wordsTagged / seconds,
  };
}

const workersText = (workers: number): string => (workers === 1 ? "one worker" : `${workers} workers`);

/** Every n-th shard: parts of a corpus are alike then, though its texts are not. */
function shardsOf({ shards }: ShardPlan, part: Part | undefined): readonly Shard[] {
  return part === undefined ? shards : shards.filter((_, index) => index % part.of === part.index - 1);
}

function workerModel({ model, task, scheme, threads }: Settings): WorkerModel {
  return { model, threads, ...choiceOf({ task, scheme }) };
}

function failure(plan: ShardPlan, { shard, error }: Extract<ShardOutcome, { kind: "failed" }>): InputError {
  return new InputError(`tag: ${plan.inputs[shard.input]?.name}: ${error}`);
}

function checkReadable({ inputs }: ShardPlan): void {
  const unreadable = inputs.find(({ error }) => error !== undefined);
  if (unreadable !== undefined) throw new InputError(`tag: ${unreadable.name}: ${unreadable.error}`);
}
