import type { CheckpointStore } from "@nasty/training";

/** Keeps the last checkpoint in memory. */
export function memoryCheckpoint(): CheckpointStore {
  let saved: Uint8Array | undefined;
  return {
    load: async () => saved,
    save: async (chunks) => {
      saved = Buffer.concat([...chunks]);
    },
  };
}
