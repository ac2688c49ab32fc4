import { resolve } from "node:path";
import { type Given, perform, readingFor, type Reporter, withReading } from "@nasty/workflow/command";
import { queueCorpusOperation, type SettingsOf } from "@nasty/workflow/operations";
import {
  dropShards,
  planCorpus,
  type PlannedCorpus,
  type Shard,
  stateOfShard,
  type Tally,
  tallyOf,
} from "@nasty/workflow/shards";
import { addressOf, connect } from "./connection.js";
import { followShards } from "./follow-shards.js";
import type { ShardJob } from "./shard-job.js";

type Settings = SettingsOf<typeof queueCorpusOperation.options>;

/** What the workers of a queue did of a corpus. */
export interface QueueCorpusResult extends Tally {
  /** The folder. */
  readonly output: string;
  /** Host, port and database of the queue. */
  readonly queue: string;
  readonly texts: number;
  readonly shards: number;
  readonly seconds: number;
  /** Of the words that were tagged meanwhile, by all workers. */
  readonly wordsPerSecond: number;
}

/**
 * Tags files, folders and globs into a folder of shards, as `tagCorpus` does, by the workers of a queue: see
 * {@link work}. Texts, model and folder are read and written by workers under the same paths as here.
 *
 * Whoever calls it plans, puts what is not done on the queue, and follows until all is; the same call goes on when it
 * ended early. Shards that workers could not do are listed, and stay in the queue's failed set with their errors.
 *
 * @throws UsageError; InputError for a queue that does not answer, or a folder with another plan; the signal's reason
 * @example
 * ```ts
 * const { failed } = await queueCorpus(["/shared/corpus"], { output: "/shared/tagged", queue: "redis://host" });
 * ```
 */
export function queueCorpus(
  inputs: string | readonly string[],
  options: Given<typeof queueCorpusOperation.options>,
): Promise<QueueCorpusResult> {
  const list = typeof inputs === "string" ? [inputs] : inputs;
  return perform(queueCorpusOperation, { ...options }, (settings, reporter) =>
    runQueueCorpus(settings, reporter, list),
  );
}

/** {@link queueCorpus} from checked settings. */
export async function runQueueCorpus(
  settings: Settings,
  reporter: Reporter,
  given: readonly string[],
): Promise<QueueCorpusResult> {
  const address = addressOf(settings.queue);
  const connection = await connect(address);
  try {
    const planned = await withReading(readingFor(settings), () => planCorpus(settings, reporter, given));
    const { plan } = planned;
    const { progress } = reporter;
    const tally = tallyOf(plan, plan.shards);
    const started = performance.now();
    const secondsSoFar = (): number => (performance.now() - started) / 1000;
    progress.start(
      `tagging ${plan.shards.length} shards by the workers of ${address.shown}`,
      tally.wordsInAll,
    );
    const jobs: ShardJob[] = [];
    for (const shard of plan.shards) {
      reporter.signal?.throwIfAborted();
      const state = await stateOfShard(settings.output, shard.name);
      if (state.kind === "finished") tally.add({ kind: "found", shard, manifest: state.manifest });
      else jobs.push(jobOf(shard, settings, planned));
      if (state.kind !== "damaged") continue;
      reporter.note(`${shard.name} is not what its manifest says: it is made again`);
      await dropShards(settings.output, [shard.name]);
    }
    const byName = new Map(plan.shards.map((shard) => [shard.name, shard]));
    await followShards(jobs, {
      connection,
      reporter,
      onShard(job, outcome) {
        tally.add({ ...outcome, shard: byName.get(job.shard) as Shard });
        progress.update(tally.wordsDone, tally.pace(secondsSoFar()));
      },
    });
    progress.stop();
    const seconds = secondsSoFar();
    return {
      output: settings.output,
      queue: address.shown,
      texts: plan.inputs.length,
      shards: plan.shards.length,
      ...tally.result(),
      seconds,
      wordsPerSecond: tally.wordsTagged / seconds,
    };
  } finally {
    connection.disconnect();
  }
}

function jobOf({ name, input }: Shard, { output, model }: Settings, { paths }: PlannedCorpus): ShardJob {
  return {
    schema: 1,
    folder: resolve(output),
    shard: name,
    text: resolve(paths[input] as string),
    model: model === undefined ? null : resolve(model),
  };
}
