import { stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@nasty/workflow/command";
import {
  choiceOf,
  differenceHere,
  type Manifest,
  openProcessWorker,
  openShardReader,
  readPlan,
  type Shard,
  type ShardPlan,
  type ShardReader,
  type ShardWorker,
  stateOfShard,
} from "@nasty/workflow/shards";
import type { ShardJob } from "./shard-job.js";

/** A folder's plan, and its shards by their names. */
export interface FolderPlan {
  readonly plan: ShardPlan;
  readonly shards: ReadonlyMap<string, Shard>;
  /** Changes with the file. */
  readonly version: string;
}

/** Reads the plan of a folder; the last one is kept, as shards of one corpus follow each other. */
export function makePlanReader(): (folder: string) => Promise<FolderPlan> {
  let last: { readonly folder: string; readonly read: Promise<FolderPlan> } | undefined;
  const read = async (folder: string, version: string): Promise<FolderPlan> => {
    const plan = await readPlan(folder);
    if (plan === undefined) throw new Error(`queue: ${folder}: expected a plan of shards, got none`);
    return { plan, shards: new Map(plan.shards.map((shard) => [shard.name, shard])), version };
  };
  return async (folder) => {
    const { mtimeMs, size } = await stat(join(folder, "plan.json")).catch((cause: unknown) => {
      // Not an error of the input: it may be there on other machines.
      throw new Error(`queue: ${folder}: expected a plan of shards, got none that this machine sees`, {
        cause,
      });
    });
    const version = `${mtimeMs} ${size}`;
    if (last?.folder === folder) {
      const known = await last.read.catch(() => undefined);
      if (known?.version === version) return known;
    }
    last = { folder, read: read(folder, version) };
    return last.read;
  };
}

/** This machine is not one that can do the shard: others may. */
export class OtherMachine extends InputError {}

/** Does one shard after the other, with a process for the tagger. */
export interface ShardLane {
  do(job: ShardJob): Promise<Manifest>;
  close(): Promise<void>;
}

export interface LaneOptions {
  readonly planOf: (folder: string) => Promise<FolderPlan>;
  /** Hears the remarks about each model once. */
  readonly onNotes: (notes: readonly string[]) => void;
}

interface Opened<T> {
  readonly key: string;
  readonly value: T;
}

export function makeShardLane({ planOf, onNotes }: LaneOptions): ShardLane {
  let reader: Opened<ShardReader> | undefined;
  let worker: Opened<ShardWorker> | undefined;
  let checked: string | undefined;

  const readerOf = async (
    { folder, text }: ShardJob,
    { input }: Shard,
    { plan, version }: FolderPlan,
  ): Promise<ShardReader> => {
    const key = JSON.stringify([folder, text, input, version]);
    if (reader?.key === key) return reader.value;
    await reader?.value.close();
    // Only the text of the shard is read, and there may be a million others.
    const paths: string[] = [];
    paths[input] = text;
    reader = { key, value: openShardReader(plan, paths) };
    return reader.value;
  };

  const workerOf = async ({ model }: ShardJob, { plan }: FolderPlan): Promise<ShardWorker> => {
    // Labels can depend on the number of threads: it is the plan's, as all else.
    const { task, scheme, threads } = plan.settings;
    const key = JSON.stringify([model, task, scheme, threads]);
    if (worker?.key === key) return worker.value;
    await closeWorker();
    const choice = choiceOf({ task, scheme } as Parameters<typeof choiceOf>[0]);
    const value = await openProcessWorker({ model: model ?? undefined, threads, ...choice });
    onNotes(value.notes);
    worker = { key, value };
    return value;
  };

  const closeWorker = async (): Promise<void> => {
    const open = worker;
    worker = undefined;
    await open?.value.close();
  };

  return {
    async do(job) {
      const { folder, shard: name, model } = job;
      const found = await planOf(folder);
      const { plan, shards, version } = found;
      const shard = shards.get(name);
      if (shard === undefined)
        throw new InputError(`queue: ${folder}: expected a shard ${name} in its plan, got none`);
      const state = await stateOfShard(folder, name);
      if (state.kind === "finished") return state.manifest;
      const settings = JSON.stringify([version, folder, model]);
      if (checked !== settings) {
        const differs = await differenceHere(plan.settings, model ?? undefined);
        if (differs !== undefined) {
          throw new OtherMachine(
            `queue: ${folder}: expected the model and versions of its plan, got others: ${differs.replace("now", "here")}; set this machine up like the one that planned`,
          );
        }
        checked = settings;
      }
      const task = await (await readerOf(job, shard, found)).read(shard);
      try {
        return await (await workerOf(job, found)).write(task, folder);
      } catch (error) {
        // Whatever it was, the next shard gets a tagger that has seen none of it.
        await closeWorker();
        throw error;
      }
    },
    async close() {
      await Promise.all([reader?.value.close(), closeWorker()]);
    },
  };
}
