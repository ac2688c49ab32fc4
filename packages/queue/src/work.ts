import { availableParallelism } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { explain, type Given, perform, type Reporter } from "@nasty/workflow/command";
import { type SettingsOf, workOperation } from "@nasty/workflow/operations";
import { faultOf, type Manifest } from "@nasty/workflow/shards";
import { DelayedError, type Job, Queue, UnrecoverableError, Worker } from "bullmq";
import { addressOf, connect, persist } from "./connection.js";
import { parseJob, queueName } from "./shard-job.js";
import { makePlanReader, makeShardLane, OtherMachine, type ShardLane } from "./shard-lane.js";

type Settings = SettingsOf<typeof workOperation.options>;

/** What a worker of a queue did. */
export interface WorkResult {
  /** Host, port and database of the queue. */
  readonly queue: string;
  readonly workers: number;
  readonly shards: number;
  readonly words: number;
  /** Attempts that failed, each of which another worker may have made good. */
  readonly failures: number;
  readonly seconds: number;
  readonly wordsPerSecond: number;
}

/**
 * A machine that cannot do shards must not take all of them from those that can: behind a fault of its own it waits.
 */
const pauseBehindFaultMs = 2000;
/** Workers that vanish so often at one shard, killed with their machine, make it a failed one. */
const mostStalls = 10;
const lookEveryMs = 500;
const noteEveryMs = 10_000;

/**
 * Tags the shards of a queue until the signal, or with `untilEmpty` until nothing is left to do. On the signal the
 * shards under way are finished and no more are taken; then it returns.
 *
 * @throws UsageError; InputError for a queue that does not answer, and for a shard of another model or version than are
 *   here, which is given back
 * @example
 * ```ts
 * const { shards, words } = await work({ queue: "redis://host", untilEmpty: true });
 * ```
 */
export function work(options: Given<typeof workOperation.options>): Promise<WorkResult> {
  return perform(workOperation, { ...options }, runWork);
}

/** {@link work} from checked settings. */
export async function runWork(settings: Settings, { note, signal }: Reporter): Promise<WorkResult> {
  const { untilEmpty = false, patience } = settings;
  const workers = settings.workers ?? availableParallelism();
  const address = addressOf(settings.queue);
  const connection = await connect(address);
  const counts = { shards: 0, words: 0, failures: 0 };
  const started = performance.now();
  const ends = new AbortController();
  const told = new Set<string>();
  const noteOnce = (text: string): void => {
    if (!told.has(text)) note(text);
    told.add(text);
  };
  const planOf = makePlanReader();
  const lanes = Array.from({ length: workers }, () =>
    makeShardLane({ planOf, onNotes: (notes) => notes.forEach(noteOnce) }),
  );
  const doJob = jobRunner({ lanes, counts, ends, note });
  const options = {
    connection,
    concurrency: workers,
    maxStalledCount: mostStalls,
    lockDuration: patience * 1000,
  };
  const worker = new Worker(queueName, doJob, { ...options, stalledInterval: (patience * 1000) / 2 });
  const queue = new Queue(queueName, { connection });
  const onError = ({ message }: Error): void => {
    if (message !== "") noteOnce(`queue: ${message}; going on`);
  };
  worker.on("error", onError);
  worker.on("stalled", (id) => note(`${id}: its worker is silent: it goes to another one`));
  queue.on("error", onError);
  const stop = (): void => ends.abort();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted === true) stop();
  note(`waiting for shards of ${address.shown} with ${workers} at once`);
  try {
    let noted = performance.now();
    const isDone = untilEmpty
      ? () => persist(() => isEmpty(queue), { onError, signal: ends.signal }).catch(() => true)
      : () => false;
    while (!ends.signal.aborted && !(await isDone())) {
      await wait(lookEveryMs, undefined, { signal: ends.signal }).catch(() => undefined);
      if (performance.now() - noted < noteEveryMs) continue;
      noted = performance.now();
      note(rateOf(counts, started));
    }
    if (ends.signal.aborted) note("finishing the shards under way; no more are taken");
    // Waits for what is under way.
    await worker.close();
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(lanes.map((lane) => lane.close()));
    await queue.close();
    connection.disconnect();
  }
  if (ends.signal.reason instanceof OtherMachine) throw ends.signal.reason;
  const seconds = (performance.now() - started) / 1000;
  return { queue: address.shown, workers, ...counts, seconds, wordsPerSecond: counts.words / seconds };
}

interface Running {
  readonly lanes: readonly ShardLane[];
  readonly counts: { shards: number; words: number; failures: number };
  /** Ends the taking of shards. */
  readonly ends: AbortController;
  readonly note: Reporter["note"];
}

/** What is done for each job of a queue; as many at once as there are lanes. */
function jobRunner({ lanes, counts, ends, note }: Running) {
  const free = [...lanes];
  return async (job: Job, token?: string): Promise<Manifest> => {
    const lane = free.pop() as ShardLane;
    try {
      const manifest = await lane.do(parseJob(job.data));
      counts.shards++;
      counts.words += manifest.words;
      return manifest;
    } catch (error) {
      if (error instanceof OtherMachine) {
        ends.abort(error);
        await job.moveToDelayed(Date.now() + pauseBehindFaultMs, token);
        throw new DelayedError();
      }
      counts.failures++;
      const fault = faultOfText(error);
      if (fault !== undefined) throw new UnrecoverableError(fault);
      note(`${job.id}: ${(error as Error).message}; it goes back on the queue`);
      await wait(pauseBehindFaultMs, undefined, { signal: ends.signal }).catch(() => undefined);
      throw error;
    } finally {
      free.push(lane);
    }
  };
}

/** Codes of faults that another machine need not have. */
const ofMachine = new Set(["not-found", "unreadable", "memory"]);

/** What is wrong with the text of a shard, so that no other worker can do it either. */
function faultOfText(error: unknown): string | undefined {
  if (ofMachine.has(explain(error).details.code)) return undefined;
  try {
    return faultOf(error);
  } catch {
    return undefined;
  }
}

async function isEmpty(queue: Queue): Promise<boolean> {
  const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized");
  return Object.values(counts).every((count) => count === 0);
}

function rateOf(
  { shards, words }: { readonly shards: number; readonly words: number },
  started: number,
): string {
  const rate = Math.round(words / ((performance.now() - started) / 1000));
  return `${shards} shards, ${words.toLocaleString("en-US")} words, ${rate.toLocaleString("en-US")} words/s`;
}
