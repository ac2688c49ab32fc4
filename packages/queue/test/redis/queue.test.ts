import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mergeCorpus, type ProgressEvent, tagCorpus } from "@nasty/workflow";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu, sentences } from "../../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { queueCorpus, work } from "../../src/index.js";
import { queueName } from "../../src/shard-job.js";
import { testRedis } from "./test-redis.js";

let folder: string;
let client: Redis;
let jobs: Queue;
const queue = testRedis(1);
const path = (...parts: string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-queue-test-"));
  client = new Redis(queue, { maxRetriesPerRequest: null });
  jobs = new Queue(queueName, { connection: client });
  await writeTinyDirectory(path("pos"));
  await writeFile(path("a.txt"), `${sentences.join("\n\n")}\n\n`.repeat(3));
});
beforeEach(() => client.flushdb());
afterAll(async () => {
  await jobs.close();
  client.disconnect();
  await rm(folder, { recursive: true, force: true });
});

const options = (output: string) => ({ model: path("pos"), output: path(output), shardWords: 20 });

/** Every shard and manifest of a folder. */
async function contents(output: string): Promise<Record<string, string>> {
  const names = (await readdir(path(output))).filter((name) => name !== "plan.json" && name !== "merged");
  const files = names.map(async (name) => [name, (await readFile(path(output, name))).toString("base64")]);
  return Object.fromEntries(await Promise.all(files));
}

/** Workers that run until the work is done. */
async function during<T>(doing: Promise<T>, more: { onNote?: (text: string) => void } = {}): Promise<T> {
  const controller = new AbortController();
  const working = work({ queue, workers: 2, patience: 2, signal: controller.signal, ...more });
  working.catch(() => undefined);
  try {
    return await Promise.race([doing, working.then(() => Promise.reject(new Error("the workers left")))]);
  } finally {
    controller.abort();
    await working.catch(() => undefined);
  }
}

it("workers of a queue write the bytes that one process writes, each shard once", async () => {
  const alone = await tagCorpus(path("a.txt"), { ...options("alone"), workers: 1 });
  const events: ProgressEvent[] = [];
  const onProgress = (event: ProgressEvent): number => events.push(event);
  const result = await during(queueCorpus(path("a.txt"), { ...options("queued"), queue, onProgress }));
  const { shards, words, sentences: count } = alone;
  expect(result).toMatchObject({ shards, written: shards, found: 0, words, sentences: count, failed: [] });
  expect(result.queue).toBe(queue.replace(/\/\/.*@/, "//"));
  expect(result.wordsPerSecond).toBeGreaterThan(0);
  expect(await contents("queued")).toEqual(await contents("alone"));
  const paces = events.flatMap(({ pace }) => pace ?? []);
  expect(paces.at(-1)).toMatchObject({ shards, shardsDone: shards, secondsLeft: 0 });
  expect(await jobs.getJobCounts("waiting", "active", "completed", "failed", "delayed")).toEqual({
    waiting: 0,
    active: 0,
    completed: 0,
    failed: 0,
    delayed: 0,
  });
  // Nothing is left to do, so nobody need work.
  const again = await queueCorpus(path("a.txt"), { ...options("queued"), queue });
  expect(again).toMatchObject({ written: 0, found: shards });
  const [name = ""] = Object.keys(await contents("queued")).filter((one) => one.endsWith(".conllu"));
  await writeFile(path("queued", name), "cut");
  const mended = await during(queueCorpus(path("a.txt"), { ...options("queued"), queue }));
  expect(mended).toMatchObject({ written: 1, found: shards - 1 });
  expect(await contents("queued")).toEqual(await contents("alone"));
});

it("a text that cannot be tagged ends in the failed set with its error, and goes when it is mended", async () => {
  await writeFile(path("bad.conllu"), `${conllu()}1\tfive\tcolumns\tare\ttoo few\n\n`);
  const texts = [path("a.txt"), path("bad.conllu")];
  const { failed, written, shards } = await during(queueCorpus(texts, { ...options("some"), queue }));
  expect(failed).toHaveLength(1);
  expect(failed[0]).toMatchObject({ input: "bad.conllu", shards: 1 });
  expect(failed[0]?.error).toContain("column count: expected 10, got 5");
  expect(written).toBe(shards - 1);
  const [kept, ...others] = await jobs.getFailed();
  expect(others).toEqual([]);
  expect(kept?.failedReason).toBe(failed[0]?.error);
  // A fault of the text is none of the machine: it is not tried again.
  expect(kept?.attemptsMade).toBe(1);
  await writeFile(path("bad.conllu"), conllu());
  const mended = await during(queueCorpus(texts, { ...options("some"), queue }));
  expect(mended.failed).toEqual([]);
  expect((await mergeCorpus(path("some"))).lacking).toEqual([]);
});

it("jobs that nobody of ours put there fail by themselves", async () => {
  await jobs.add("shard", { schema: 1, folder: "../etc", shard: "x", text: "/etc/passwd", model: null });
  await jobs.add("shard", { anything: true });
  const result = await during(queueCorpus(path("a.txt"), { ...options("beside"), queue }));
  expect(result.written).toBe(result.shards);
  const reasons = (await jobs.getFailed()).map(({ failedReason }) => failedReason);
  expect(reasons).toHaveLength(2);
  for (const reason of reasons) expect(reason).toMatch(/^queue: (?:folder|schema): /);
});

it("a fault of the machine is tried again, later", async () => {
  const notes: string[] = [];
  const following = queueCorpus(path("a.txt"), { ...options("late"), queue });
  // As on a machine that does not see the shared folder yet.
  while (!(await readdir(path("late")).catch(() => [""])).includes("plan.json"))
    await new Promise(setImmediate);
  await rename(path("late"), path("elsewhere"));
  const mount = async (text: string): Promise<void> => {
    notes.push(text);
    if (text.includes("it goes back on the queue"))
      await rename(path("elsewhere"), path("late")).catch(() => undefined);
  };
  const result = await during(following, { onNote: (text) => void mount(text) });
  expect(result).toMatchObject({ failed: [], written: result.shards });
  expect(notes.join("\n")).toContain("expected a plan of shards, got none that this machine sees");
});

it("a machine with another model gives the shard back and says why", async () => {
  const controller = new AbortController();
  const following = queueCorpus(path("a.txt"), { ...options("other"), queue, signal: controller.signal });
  following.catch(() => undefined);
  while ((await jobs.getWaitingCount()) === 0) await new Promise(setImmediate);
  const config = path("pos", "config.json");
  const before = await readFile(config);
  await writeFile(config, `${before.toString()}\n`);
  await expect(work({ queue, workers: 1, untilEmpty: true })).rejects.toThrow(
    /expected the model and versions/,
  );
  await writeFile(config, before);
  const { written, failed, shards } = await during(following);
  expect([written, failed]).toEqual([shards, []]);
});

it("whoever follows may leave, and come back", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const following = queueCorpus(path("a.txt"), { ...options("left"), queue, signal: controller.signal });
  while ((await jobs.getWaitingCount()) < 3) await new Promise(setImmediate);
  controller.abort(reason);
  await expect(following).rejects.toBe(reason);
  const { shards } = await work({ queue, workers: 1, untilEmpty: true });
  expect(shards).toBeGreaterThan(2);
  const back = await during(queueCorpus(path("a.txt"), { ...options("left"), queue }));
  expect(back.found).toBeGreaterThanOrEqual(shards);
  expect(back.found + back.written).toBe(back.shards);
});
