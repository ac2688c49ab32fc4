import { MessageChannel, type MessagePort } from "node:worker_threads";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { entities } from "../../src/index.js";
import { openTagger as openInNode } from "../../src/node.js";
import { fileURLToPath } from "node:url";
import {
  type DownloadProgress,
  openTaggerInWorker,
  serveTaggers,
  type WorkerLike,
  type WorkerScope,
} from "../../src/web/index.js";
import { collected } from "../../src/web/worker/collected.js";

const posInt8 = new URL("../../../model-en/models/pos-en-int8.onnx", import.meta.url);
const sentences = [["Time", "flies", "like", "an", "arrow", "."], [], ["She", "left"]];

/** Both ends of a channel as the page and the worker see it. */
const asWorker = (port: MessagePort): WorkerLike & WorkerScope =>
  ({
    postMessage: (message: unknown) => port.postMessage(message),
    addEventListener: (type: string, listener: (event: { data: unknown }) => void) => {
      if (type === "message") port.on("message", (data) => listener({ data }));
    },
  }) as WorkerLike & WorkerScope;

let channel: MessageChannel;
let worker: WorkerLike;
beforeEach(() => {
  channel = new MessageChannel();
  serveTaggers({}, asWorker(channel.port1));
  worker = asWorker(channel.port2);
});
afterEach(() => channel.port2.close());

const bytes = readFileSync(posInt8);

test("a tagger in a worker says what the same tagger says here", async () => {
  const here = await openInNode(fileURLToPath(posInt8), { engine: "portable" });
  const there = await openTaggerInWorker(worker, new Uint8Array(bytes));
  expect(there).toMatchObject({ kind: here.kind, task: here.task, labels: here.labels });
  expect(await collected(there.tag(sentences))).toEqual(await collected(here.tag(sentences)));
  const [fed] = await collected(there.feedsOf(sentences));
  expect(fed).toEqual((await collected(here.feedsOf(sentences)))[0]);
  await Promise.all([here.close(), there.close()]);
  await expect(collected(there.tag(sentences))).rejects.toThrow("expected an open one");
});

test("entities are those that the same tagger finds here", async () => {
  const path = new URL("../../../model-en/models/ner-en-int8.onnx.gz", import.meta.url);
  const here = await openInNode(fileURLToPath(path), { engine: "portable" });
  const there = await openTaggerInWorker(worker, new Uint8Array(readFileSync(path)));
  const text = "Ada Lovelace lived in London.";
  const expected = await collected(entities(here, text));
  expect(expected.length).toBeGreaterThan(0);
  expect(await collected(entities(there, text))).toEqual(expected);
  await Promise.all([here.close(), there.close()]);
});

test("errors keep sentence and code; progress and signals cross", async () => {
  await expect(openTaggerInWorker(worker, new Uint8Array(bytes.subarray(0, 99)))).rejects.toMatchObject({
    name: "TaggerError",
    message: expect.stringContaining("expected"),
    code: expect.any(String),
  });
  const reason = new Error("enough");
  await expect(
    openTaggerInWorker(worker, new Uint8Array(bytes), { signal: AbortSignal.abort(reason) }),
  ).rejects.toBe(reason);
  const seen: DownloadProgress[] = [];
  const url = `data:application/octet-stream;base64,${bytes.toString("base64")}`;
  const tagger = await openTaggerInWorker(worker, url, { onProgress: (progress) => seen.push(progress) });
  expect(seen.at(-1)?.loaded).toBe(bytes.length);
  const controller = new AbortController();
  const tagging = collected(
    tagger.tag(
      Array.from({ length: 200 }, () => sentences[0] as string[]),
      { signal: controller.signal, batchSize: 1 },
    ),
  );
  controller.abort(reason);
  await expect(tagging).rejects.toBe(reason);
  await tagger.close();
});
