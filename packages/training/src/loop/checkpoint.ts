import type { Tensor } from "@nasty/core";
import { parseSafetensors, safetensorsChunks, safetensorsMetadata } from "@nasty/formats/safetensors";
import type { TrainerState } from "../engine/engine.js";
import type { ModifierState } from "../engine/modifier.js";
import { TrainingError } from "../training-error.js";
import { checksumOf } from "./checksum.js";

/** Where checkpoints are kept. */
export interface CheckpointStore {
  /** The last checkpoint, undefined if there is none. */
  load(): Promise<Uint8Array | undefined>;
  /** Replaces the checkpoint as a whole or not at all. */
  save(chunks: Iterable<Uint8Array>): Promise<void>;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly loss: number;
  readonly metric?: number;
}

/** Where a loop is, beside the arrays. */
export interface LoopPosition {
  /** Epoch under way, from 1. */
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batch: number;
  /** Sum of their losses. */
  readonly lossSum: number;
  readonly stepsPerEpoch: number | undefined;
  readonly bestEpoch: number | undefined;
  readonly bestMetric: number | undefined;
  readonly history: readonly EpochRecord[];
}

export interface Checkpoint {
  /** Identifies data and settings; another one is not resumed. */
  readonly identity: string;
  readonly position: LoopPosition;
  readonly state: TrainerState;
  readonly best: Readonly<Record<string, Float32Array>> | undefined;
  /** State of the modifiers when the weights were best. */
  readonly bestModifiers: ModifierState | undefined;
}

/** 2: with a checksum. Checkpoints live as long as one interrupted run, so that older ones are not read. */
const version = "2";
const metadataKey = "nasty.training";

/**
 * A checkpoint as the chunks of a safetensors file: `weight/NAME`, `optimizer/NAME`, `best/NAME`, and the modifiers'
 * arrays, with the position as JSON in the metadata, and a checksum of all of it. The arrays are not copied: write them
 * out before the next step.
 */
export function checkpointChunks({
  identity,
  position,
  state,
  best,
  bestModifiers,
}: Checkpoint): Iterable<Uint8Array> {
  const tensors = new Map<string, Tensor>();
  const add = (prefix: string, arrays: Readonly<Record<string, Float32Array | Int32Array>>): void => {
    for (const [name, data] of Object.entries(arrays)) {
      const dtype = data instanceof Float32Array ? "float32" : "int32";
      tensors.set(`${prefix}/${name}`, { dtype, shape: [data.length], data } as Tensor);
    }
  };
  add("weight", state.weights);
  add("optimizer", state.optimizer.arrays);
  if (best !== undefined) add("best", best);
  add("modifier", state.modifiers ?? {});
  add("best-modifier", bestModifiers ?? {});
  const header = { version, identity, position, optimizerStep: state.optimizer.step };
  const checksum = checksumOf(header, tensors);
  return safetensorsChunks(tensors, { [metadataKey]: JSON.stringify({ ...header, checksum }) });
}

/**
 * Reads a checkpoint.
 *
 * @throws TrainingError `checkpoint-format` for anything that `checkpointChunks` did not write: a file of another kind
 *   or version, one that was cut off, one of which a single bit differs; `cause` says what.
 */
export function parseCheckpoint(bytes: Uint8Array): Checkpoint {
  try {
    const header = JSON.parse(safetensorsMetadata(bytes).get(metadataKey) ?? "null") as {
      version: string;
      identity: string;
      position: LoopPosition;
      optimizerStep: number;
      checksum: string;
    } | null;
    if (header?.version !== version)
      throw new Error(`version: expected ${version}, got ${header?.version ?? "none"}`);
    const tensors = parseSafetensors(bytes);
    const { checksum: expected, ...rest } = header;
    const got = checksumOf(rest, tensors);
    if (got !== expected)
      throw new Error(`checksum: expected ${expected}, got ${got}: the file is not as it was written`);
    const groups: Record<string, Record<string, Float32Array & Int32Array>> = {
      weight: {},
      optimizer: {},
      best: {},
      modifier: {},
      "best-modifier": {},
    };
    for (const [path, { data }] of tensors) {
      const slash = path.indexOf("/");
      const group = groups[path.slice(0, slash)];
      if (group !== undefined) group[path.slice(slash + 1)] = data as Float32Array & Int32Array;
    }
    const best = groups["best"] ?? {};
    return {
      identity: header.identity,
      position: header.position,
      state: {
        weights: groups["weight"] ?? {},
        optimizer: { step: header.optimizerStep, arrays: groups["optimizer"] ?? {} },
        modifiers: groups["modifier"] ?? {},
      },
      best: Object.keys(best).length === 0 ? undefined : best,
      bestModifiers: Object.keys(best).length === 0 ? undefined : groups["best-modifier"],
    };
  } catch (cause) {
    throw new TrainingError(
      "checkpoint-format",
      `parseCheckpoint: checkpoint: expected a file written by trainLoop, got ${(cause as Error).message}; remove the checkpoint to start anew`,
      { cause },
    );
  }
}
