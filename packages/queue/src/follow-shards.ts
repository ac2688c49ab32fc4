import { setTimeout as wait } from "node:timers/promises";
import type { Reporter } from "@nasty/workflow/command";
import { type Manifest, readManifest } from "@nasty/workflow/shards";
import { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { persist } from "./connection.js";
import { jobIdOf, queueName, type ShardJob } from "./shard-job.js";

/** How a shard of a queue ended. */
export type QueueOutcome =
  | { readonly kind: "written"; readonly manifest: Manifest }
  | { readonly kind: "failed"; readonly error: string };

export interface FollowOptions {
  readonly connection: Redis;
  readonly reporter: Pick<Reporter, "note" | "signal">;
  readonly onShard: (job: ShardJob, outcome: QueueOutcome) => void;
}

/** Faults of a machine, or workers that died, so often at one shard; those of its text end it at once. */
const attempts = 5;
/** Twice as long each time. */
const firstPauseMs = 2000;
const jobsAtOnce = 500;
/** What was not heard of in so long is looked for: events are lost where a server restarts, or nobody listens. */
const lookEveryMs = 5000;
const lookAtOnce = 200;

/**
 * Puts shards on the queue and waits until each is done or given up. What counts is the manifest in the folder, which
 * none of them has at first: events of the queue only say when to look.
 *
 * @throws the signal's reason; the jobs stay on the queue then
 */
export async function followShards(
  jobs: readonly ShardJob[],
  { connection, reporter, onShard }: FollowOptions,
): Promise<void> {
  if (jobs.length === 0) return;
  const { note, signal } = reporter;
  const queue = new Queue<ShardJob>(queueName, { connection });
  const server = { queue, connection };
  const events = new QueueEvents(queueName, { connection });
  const told = new Set<string>();
  const onError = ({ message }: Error): void => {
    if (message !== "" && !told.has(message)) note(`queue: ${message}; trying again`);
    told.add(message);
  };
  queue.on("error", onError);
  events.on("error", onError);
  // Those that are looked at go behind the others, so that each has its turn.
  const pending = new Map(jobs.map((job) => [jobIdOf(job), job]));
  const bell = makeBell(signal);
  events.on("completed", ({ jobId }) => bell.ring(jobId));
  events.on("failed", ({ jobId }) => bell.ring(jobId));
  const look = async (id: string, isHeard: boolean): Promise<void> => {
    const job = pending.get(id);
    if (job === undefined) return;
    const outcome = await persist(() => outcomeOf(server, job, isHeard), { onError, signal });
    pending.delete(id);
    if (outcome === undefined) pending.set(id, job);
    else onShard(job, outcome);
  };
  try {
    for (let at = 0; at < jobs.length; at += jobsAtOnce) {
      await persist(() => addJobs(server, jobs.slice(at, at + jobsAtOnce)), { onError, signal });
    }
    let looked = performance.now();
    while (pending.size > 0) {
      for (const id of await bell.heard(lookEveryMs)) await look(id, true);
      signal?.throwIfAborted();
      if (performance.now() - looked < lookEveryMs) continue;
      for (const id of [...pending.keys()].slice(0, lookAtOnce)) await look(id, false);
      looked = performance.now();
    }
  } finally {
    bell.close();
    await Promise.all([events.close(), queue.close()]);
  }
}

/** Names that were called out since one asked last. */
interface Bell {
  ring(id: string): void;
  /** Waits for a name, so long at most; the signal ends the waiting. */
  heard(atMostMs: number): Promise<readonly string[]>;
  close(): void;
}

function makeBell(signal: AbortSignal | undefined): Bell {
  const rung = new Set<string>();
  let sleep = new AbortController();
  const wake = (): void => sleep.abort();
  signal?.addEventListener("abort", wake);
  return {
    ring(id) {
      rung.add(id);
      wake();
    },
    async heard(atMostMs) {
      if (rung.size === 0 && signal?.aborted !== true) {
        sleep = new AbortController();
        await wait(atMostMs, undefined, { signal: sleep.signal }).catch(() => undefined);
      }
      const all = [...rung];
      rung.clear();
      return all;
    },
    close: () => signal?.removeEventListener("abort", wake),
  };
}

interface Server {
  readonly queue: Queue<ShardJob>;
  readonly connection: Redis;
}

/** How a shard ended; undefined while it is under way. */
async function outcomeOf(server: Server, job: ShardJob, isHeard: boolean): Promise<QueueOutcome | undefined> {
  const manifest = await readManifest(job.folder, job.shard);
  if (manifest !== undefined) return { kind: "written", manifest };
  const found = await server.queue.getJob(jobIdOf(job));
  if ((await found?.getState()) === "failed") {
    return { kind: "failed", error: found?.failedReason ?? "no reason given" };
  }
  // Lost with a server. A shard that was just heard of may not be seen here yet.
  if (found === undefined && !isHeard) await addJobs(server, [job]);
  return undefined;
}

/** Puts jobs on the queue; what is there stays where it is, but for what was given up, which begins anew. */
async function addJobs({ queue, connection }: Server, jobs: readonly ShardJob[]): Promise<void> {
  // Only those are removed: the server walks through all that wait to remove one.
  const ids = jobs.map(jobIdOf);
  const ends = await Promise.all(ids.map((id) => connection.hget(queue.toKey(id), "finishedOn")));
  await Promise.all(ids.filter((_, at) => ends[at] !== null).map((id) => queue.remove(id)));
  await queue.addBulk(
    jobs.map((data) => ({
      name: "shard",
      data,
      opts: {
        jobId: jobIdOf(data),
        attempts,
        backoff: { type: "exponential", delay: firstPauseMs, jitter: 0.5 },
        removeOnComplete: true,
        removeOnFail: false,
      },
    })),
  );
}
