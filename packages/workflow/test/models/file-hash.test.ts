import { readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { afterAll, beforeAll, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { loadForCompression } from "../../src/models/load-model.js";

let folder: string;
let remove: () => Promise<void>;
let bytes: Buffer;
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-file-hash-test"));
  await writeTinyDirectory(join(folder, "pos"));
  bytes = await readFile(join(folder, "pos", "onnx", "model.onnx"));
});
afterAll(() => remove());

const sha256 = (of: Uint8Array): string => createHash("sha256").update(of).digest("hex");

test("a model that is to be rewritten is hashed while it is read, and its file read once", async () => {
  const path = join(folder, "model.onnx");
  await writeFile(path, bytes);
  const loaded = await loadForCompression(path);
  await rm(path);
  expect(await loaded.sha256()).toBe(sha256(bytes));
  expect(await loaded.sha256()).toBe(sha256(bytes));
});

test("of a compressed model the hash is that of the file", async () => {
  const path = join(folder, "model.onnx.gz");
  const packed = gzipSync(bytes);
  await writeFile(path, packed);
  expect(await (await loadForCompression(path)).sha256()).toBe(sha256(packed));
});
