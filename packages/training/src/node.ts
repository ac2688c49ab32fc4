import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import type { CheckpointStore } from "./loop/checkpoint.js";

/**
 * Checkpoints in a file, which is replaced as a whole or not at all.
 *
 * @throws FormatError `unwritable` when saving; errors of the file system other than a missing file when loading
 * @example
 * ```ts
 * await trainLoop({ trainer, batches, epochs: 10, checkpoint: fileCheckpoint("model.checkpoint") });
 * ```
 */
export function fileCheckpoint(path: string): CheckpointStore {
  return {
    async load() {
      try {
        return await readFile(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async save(chunks) {
      await writeFileAtomic(path, chunks);
    },
  };
}
