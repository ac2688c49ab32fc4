import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { CheckpointStore } from "@nasty/training";
import { fileCheckpoint } from "@nasty/training/node";
import { UsageError } from "../errors.js";
import type { FollowedTraining, Reporter } from "../reporter.js";
import type { TrainingPlace } from "./place.js";

/** Settings of every training that change how it runs, not what it learns while it lasts. */
export interface RunSettings {
  readonly threads: number;
  readonly patience?: number | undefined;
  readonly validation?: string | undefined;
}

/** What a training is given beside its data and its recipe. */
export interface TrainingRun extends FollowedTraining {
  readonly threads: number;
  readonly checkpoint: CheckpointStore;
  readonly checkpointEvery: number;
  readonly patience?: number;
}

/**
 * What a training needs to be followed, ended, and gone on with from the checkpoint of its place.
 *
 * @throws UsageError for patience without validation
 */
export function runOf(
  { threads, patience, validation }: RunSettings,
  { checkpoint }: Pick<TrainingPlace, "checkpoint">,
  { training }: Reporter,
): TrainingRun {
  if (patience !== undefined && validation === undefined) {
    throw new UsageError("--patience: expected --validation to find the best epoch on, got none");
  }
  return {
    threads,
    checkpoint: storeAt(checkpoint),
    checkpointEvery: 200,
    ...training,
    ...(patience !== undefined && { patience }),
  };
}

/** Checkpoints in a file, whose folder is made with the first one. */
export function storeAt(path: string): CheckpointStore {
  const store = fileCheckpoint(path);
  return {
    load: store.load,
    async save(chunks) {
      await mkdir(dirname(path), { recursive: true });
      await store.save(chunks);
    },
  };
}
