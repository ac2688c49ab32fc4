import { setTimeout as wait } from "node:timers/promises";
import { explain } from "../explanation/explain.js";
import { exitCodes } from "../errors.js";
import { stateOfShard } from "./shard-files.js";
import type { ShardReader } from "./shard-reader.js";
import type { ShardTask } from "./shard-task.js";
import type { Manifest, Shard } from "./shard.js";
import { WorkerEnded } from "../workers/start-process.js";
import type { ShardWorker } from "./worker.js";

/** How a shard ended. */
export type ShardOutcome =
  | { readonly kind: "written"; readonly shard: Shard; readonly manifest: Manifest }
  /** It was there, whole. */
  | { readonly kind: "found"; readonly shard: Shard; readonly manifest: Manifest }
  | { readonly kind: "failed"; readonly shard: Shard; readonly error: string };

export interface RunPlanOptions {
  readonly folder: string;
  readonly reader: ShardReader;
  /** How many shards are done at once. */
  readonly workers: number;
  readonly openWorker: () => Promise<ShardWorker>;
  /** Hears of each shard as it ends, whether one that failed is to end all; what it throws ends all. */
  readonly onShard: (outcome: ShardOutcome) => void;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** A worker that dies is replaced; a shard at which so many died is given up. */
const attempts = 3;

/**
 * Does shards with several workers; what is there already, whole, is left.
 *
 * A worker has one shard at a time, and the next is read when a worker is free: what is held in memory is a shard a
 * worker, however slow the disk is.
 *
 * @throws what opening a worker throws, what is no fault of a shard (a full disk), and the signal's reason
 */
export async function runPlan(shards: readonly Shard[], options: RunPlanOptions): Promise<void> {
  const { workers, signal } = options;
  const stop = new AbortController();
  const ends = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const next = taskQueue(shards, options, ends);
  const lanes = Array.from({ length: Math.max(1, Math.min(workers, shards.length)) }, () =>
    runLane(next, options, ends).catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  const ended = await Promise.allSettled(lanes);
  signal?.throwIfAborted();
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw stop.signal.aborted ? stop.signal.reason : failed.reason;
}

type NextTask = () => Promise<ShardTask | undefined>;

/** Tasks that are to be done, one after the other: whole shards and unreadable ones are told of and passed over. */
function taskQueue(
  shards: readonly Shard[],
  { folder, reader, onShard, note }: RunPlanOptions,
  ends: AbortSignal,
): NextTask {
  let at = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const take: NextTask = async () => {
    for (;;) {
      ends.throwIfAborted();
      const shard = shards[at++];
      if (shard === undefined) return undefined;
      const state = await stateOfShard(folder, shard.name);
      if (state.kind === "finished") {
        onShard({ kind: "found", shard, manifest: state.manifest });
        continue;
      }
      if (state.kind === "damaged") note(`${shard.name} is not what its manifest says: it is made again`);
      try {
        return await reader.read(shard);
      } catch (error) {
        onShard({ kind: "failed", shard, error: faultOf(error) });
      }
    }
  };
  // One at a time: the reader goes forward.
  return () => {
    const mine = turn.then(take);
    turn = mine.catch(() => undefined);
    return mine;
  };
}

async function runLane(next: NextTask, options: RunPlanOptions, ends: AbortSignal): Promise<void> {
  const lane = makeLane(options.openWorker, ends);
  try {
    for (let task = await next(); task !== undefined; task = await next()) {
      options.onShard(await doTask(task, lane, options, ends));
    }
  } finally {
    await lane.close();
  }
}

/** The worker of a lane, opened when there is something to do, and again when it has ended. */
interface Lane {
  worker(): Promise<ShardWorker>;
  forget(): void;
  close(): Promise<void>;
}

function makeLane(openWorker: RunPlanOptions["openWorker"], ends: AbortSignal): Lane {
  let worker: ShardWorker | undefined;
  const close = async (): Promise<void> => {
    ends.removeEventListener("abort", onAbort);
    await worker?.close();
  };
  const onAbort = (): void => void close().catch(() => undefined);
  ends.addEventListener("abort", onAbort);
  return {
    async worker() {
      worker ??= await openWorker();
      if (ends.aborted) await close();
      ends.throwIfAborted();
      return worker;
    },
    forget() {
      worker = undefined;
    },
    close,
  };
}

async function doTask(
  task: ShardTask,
  lane: Lane,
  { folder, note }: RunPlanOptions,
  ends: AbortSignal,
): Promise<ShardOutcome> {
  const { shard } = task;
  for (let attempt = 1; ; attempt++) {
    let died: WorkerEnded;
    try {
      // A model that cannot be opened is no fault of the shard.
      const worker = await lane.worker();
      const done = await worker.write(task, folder).catch((error: unknown) => {
        if (error instanceof WorkerEnded || ends.aborted) throw error;
        return faultOf(error);
      });
      if (typeof done === "string") return { kind: "failed", shard, error: done };
      return { kind: "written", shard, manifest: done };
    } catch (error) {
      ends.throwIfAborted();
      if (!(error instanceof WorkerEnded)) throw error;
      died = error;
    }
    lane.forget();
    if (attempt === attempts) {
      const error = `${died.message}, as did ${attempts - 1} before it at this shard; give more memory, or a smaller --shard-words`;
      return { kind: "failed", shard, error };
    }
    note(`${died.message}: another one does ${shard.name}`);
    await wait(100 * attempt);
  }
}

/**
 * What is wrong with a shard.
 *
 * @throws what is no fault of its text: a bug, or a disk that takes nothing, at which all others would fail too
 */
export function faultOf(error: unknown): string {
  const { code, message, details } = explain(error);
  const isDisk = ["unwritable", "ENOSPC", "EDQUOT", "EROFS"].includes(details.code);
  if (code !== exitCodes.input || isDisk) throw error;
  return message;
}
