import { setTimeout as wait } from "node:timers/promises";
import { type Manifest, readManifest } from "@nasty/workflow/shards";
import type { Reporter } from "@nasty/workflow/command";
import { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { jobIdOf, queueName, type ShardJob } from "./shard-job.js";

/** How a shard of a queue ended. */
export type QueueOutcome =
  | { readonly kind: "written"; readonly manifest: Manifest }
  | { readonly kind: "failed"; readonly error: string };

export interface FollowOptions {
  readonly connection: Redis;
  readonly reporter: Pick<Reporter, "note" | "signal">;
  readonly onShard: (name: string, outcome: QueueOutcome) => void;
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
 * Puts shards on the queue and waits until each is done or given up. What counts is the manifest in the folder: events
 * of the queue only say when to look.
 *
 * @throws the signal's reason; the jobs stay on the queue then
 */
export async function followShards(
  jobs: ReadonlyMap<string, ShardJob>,
  { connection, reporter, onShard }: FollowOptions,
): Promise<void> {
  if (jobs.size === 0) return;
  const { note, signal } = reporter;
  const queue = new Queue<ShardJob>(queueName, { connection });
  const events = new QueueEvents(queueName, { connection });
  const pending = new Map(jobs);
  const names = new Map([...jobs].map(([name, job]) => [jobIdOf(job), name]));
  const failures = new Map<string, string>();
  const told = new Set<string>();
  const onError = ({ message }: Error): void => {
    if (message === "" || told.has(message)) return;
    told.add(message);
    note(`queue: ${message}; trying again`);
  };
  queue.on("error", onError);
  events.on("error", onError);
  let wake = new AbortController();
  const heard = (jobId: string, error?: string): void => {
    const name = names.get(jobId);
    if (name === undefined) return;
    if (error !== undefined) failures.set(name, error);
    hurried.add(name);
    wake.abort();
  };
  const hurried = new Set<string>();
  events.on("completed", ({ jobId }) => heard(jobId));
  events.on("failed", ({ jobId, failedReason }) => heard(jobId, failedReason));
  const stop = (): void => wake.abort();
  signal?.addEventListener("abort", stop);

  const look = async (name: string): Promise<void> => {
    const job = pending.get(name);
    if (job === undefined) return;
    const manifest = await readManifest(job.folder, name);
    if (manifest !== undefined) {
      pending.delete(name);
      onShard(name, { kind: "written", manifest });
      return;
    }
    const jobId = jobIdOf(job);
    const state = await queue.getJobState(jobId);
    if (state === "failed") {
      const error = (await queue.getJob(jobId))?.failedReason ?? failures.get(name) ?? "no reason given";
      pending.delete(name);
      onShard(name, { kind: "failed", error });
    }
    // Lost with a server, or done in a folder that is not this one.
    if (state === "unknown" && !hurried.has(name)) await addJobs(queue, [job]);
  };

  try {
    await events.waitUntilReady();
    const all = [...jobs.values()];
    for (let at = 0; at < all.length; at += jobsAtOnce) {
      signal?.throwIfAborted();
      await addJobs(queue, all.slice(at, at + jobsAtOnce));
    }
    let looked = performance.now();
    while (pending.size > 0) {
      if (hurried.size === 0) {
        await wait(lookEveryMs, undefined, { signal: wake.signal }).catch(() => undefined);
      }
      signal?.throwIfAborted();
      wake = new AbortController();
      const now = [...hurried];
      for (const name of now) await look(name);
      for (const name of now) hurried.delete(name);
      if (performance.now() - looked < lookEveryMs) continue;
      for (const name of [...pending.keys()].slice(0, lookAtOnce)) {
        await look(name);
        // The next time others come first.
        const job = pending.get(name);
        if (job === undefined) continue;
        pending.delete(name);
        pending.set(name, job);
      }
      looked = performance.now();
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all([events.close(), queue.close()]);
  }
}

async function addJobs(queue: Queue<ShardJob>, jobs: readonly ShardJob[]): Promise<void> {
  // One that was given up begins anew; one that is being done stays.
  await Promise.all(jobs.map((job) => queue.remove(jobIdOf(job)).catch(() => 0)));
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
