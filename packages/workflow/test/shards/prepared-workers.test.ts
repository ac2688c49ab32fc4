import { expect, it } from "vitest";
import { prepareWorkers } from "../../src/shards/prepared-workers.js";
import type { ShardWorker } from "../../src/shards/worker.js";

/** Workers that count how many were started, and ended. */
function counted(fails = false) {
  const counts = { started: 0, ended: 0 };
  const open = async (): Promise<ShardWorker> => {
    counts.started++;
    if (fails) throw new Error("no model");
    return { notes: [], close: async () => void counts.ended++ } as Partial<ShardWorker> as ShardWorker;
  };
  return { counts, open };
}

it("starts workers once and ahead, gives them out, and ends those that nobody took", async () => {
  const { counts, open } = counted();
  const prepared = prepareWorkers(2, open);
  expect(counts.started).toBe(0);
  prepared.prepare();
  prepared.prepare();
  expect(counts.started).toBe(2);
  await prepared.take();
  expect(counts.started).toBe(2);
  await prepared.close();
  expect(counts.ended).toBe(1);
  await prepared.take();
  expect(counts.started).toBe(3);
});

it("says what kept a worker from starting to whoever takes it", async () => {
  const { open } = counted(true);
  const prepared = prepareWorkers(2, open);
  prepared.prepare();
  await expect(prepared.take()).rejects.toThrow("no model");
  await prepared.close();
});
