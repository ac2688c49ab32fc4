import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readLayersModel } from "../../src/layers-model/node.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-layers-model-"));
});
afterEach(() => rm(folder, { recursive: true }));

const shape = (count: number) => ({ name: `w${count}`, shape: [count], dtype: "float32" });

async function write(groups: readonly { paths: readonly string[]; weights: readonly unknown[] }[]) {
  await mkdir(join(folder, "model"), { recursive: true });
  await writeFile(join(folder, "model", "model.json"), JSON.stringify({ weightsManifest: groups }));
  return join(folder, "model");
}

test("shards of all groups, one after the other in the manifest's order", async () => {
  const path = await write([
    { paths: ["b.bin", "parts/a.bin"], weights: [shape(2)] },
    { paths: ["c.bin"], weights: [shape(1)] },
  ]);
  await mkdir(join(path, "parts"));
  await writeFile(join(path, "b.bin"), Uint8Array.of(1, 2, 3));
  await writeFile(join(path, "parts", "a.bin"), Uint8Array.of(4, 5, 6, 7, 8));
  await writeFile(join(path, "c.bin"), Uint8Array.of(9, 10, 11, 12));
  const { weightBytes, shards, path: file } = await readLayersModel(path);
  expect(shards.map((shard) => basename(shard))).toEqual(["b.bin", "a.bin", "c.bin"]);
  expect([...weightBytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(file).toBe(join(path, "model.json"));
});

describe("refusals", () => {
  const refused = (path: string, code: string, message: string) =>
    expect(readLayersModel(path)).rejects.toMatchObject({
      name: "TfjsError",
      kind: "input",
      code,
      message: expect.stringContaining(message),
    });

  test.each([
    "../secret.bin",
    "/etc/hostname",
    "a/../../secret.bin",
    "..",
    ".",
    "",
    "a\0b",
    "..\\secret.bin",
    "file:///etc/hostname",
    "https://example.org/a.bin",
  ])("a shard at %j is not read", async (name) => {
    await writeFile(join(folder, "secret.bin"), "1234");
    const path = await write([{ paths: [name], weights: [shape(1)] }]);
    await refused(path, "unsafe-path", `shard ${JSON.stringify(name)}: expected a path inside of the folder`);
  });

  test("a link that leads out of the folder", async () => {
    await writeFile(join(folder, "secret.bin"), "1234");
    const path = await write([{ paths: ["in.bin"], weights: [shape(1)] }]);
    await symlink(join(folder, "secret.bin"), join(path, "in.bin"));
    await refused(path, "unsafe-path", "got a link that leads out of it");
  });

  test("a link within the folder is followed", async () => {
    const path = await write([{ paths: ["in.bin"], weights: [shape(1)] }]);
    await writeFile(join(path, "real.bin"), "1234");
    await symlink("real.bin", join(path, "in.bin"));
    expect((await readLayersModel(path)).weightBytes.length).toBe(4);
  });

  test("shards that are smaller or larger than declared", async () => {
    const path = await write([
      { paths: ["a.bin"], weights: [shape(1)] },
      { paths: ["b.bin"], weights: [shape(2)] },
    ]);
    await writeFile(join(path, "a.bin"), "1234");
    for (const size of [7, 9, 0]) {
      await writeFile(join(path, "b.bin"), new Uint8Array(size));
      await refused(
        path,
        "truncated-weights",
        `readLayersModel: ${path}: shards b.bin: expected 8 bytes (weightsManifest), got ${size}`,
      );
    }
  });

  test("a declared size beyond all memory is compared, not allocated", async () => {
    const path = await write([{ paths: ["a.bin"], weights: [{ ...shape(1), shape: [2 ** 50 / 4] }] }]);
    await writeFile(join(path, "a.bin"), "1234");
    await refused(path, "truncated-weights", "expected 1125899906842624 bytes (weightsManifest), got 4");
  });

  test("missing shards, and folders in their place", async () => {
    const path = await write([{ paths: ["a.bin"], weights: [shape(1)] }]);
    await refused(path, "not-found", 'shard "a.bin": expected a file, got nothing');
    await mkdir(join(path, "a.bin"));
    await refused(path, "not-found", 'shard "a.bin": expected a file, got a folder or device');
  });

  test("no folder, no model.json, no JSON", async () => {
    await refused(join(folder, "none"), "not-found", "expected a folder with a model.json, got nothing");
    await refused(folder, "not-found", "model.json: expected a readable file, got nothing");
    await writeFile(join(folder, "model.json"), "{");
    await refused(folder, "invalid-model", "model.json: expected JSON, got ");
    await refused(join(folder, "model.json"), "not-found", "expected a folder with a model.json, got a file");
    await writeFile(join(folder, "model.json"), "");
    await refused(folder, "invalid-model", "got an empty file");
    await writeFile(join(folder, "model.json"), Uint8Array.of(0xff, 0xfe, 0));
    await refused(folder, "invalid-model", "expected JSON in UTF-8");
    await writeFile(join(folder, "model.json"), "3");
    await refused(folder, "invalid-weights", "weightsManifest: expected a value, got nothing");
  });
});
