import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { madeFeeds, referenceOf, weightsInFile } from "../../src/index.js";
import { matrix, model, node } from "../tiny-models.js";

let folder: string;
let path: string;
let read: ModelProto;
let bytes: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-mapped-"));
  path = join(folder, "model.onnx");
  const nodes = [node("MatMul", ["x", "W"], ["h"]), node("MatMul", ["h", "V"], ["y"])];
  await writeModelFile(
    path,
    model({ nodes, initializers: [matrix("W", [16, 512]), matrix("V", [512, 3], 2)] }),
  );
  read = await readModelFile(path);
  ({ size: bytes } = await stat(path));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("is a small graph that computes what the file does", async () => {
  const graph = weightsInFile(read, { name: "model.onnx", bytes });
  expect(graph?.length).toBeLessThan(bytes - 16 * 512 * 4 + 200);
  const candidates = [[{ feeds: madeFeeds(read) ?? {} }]];
  const mapped = await referenceOf(graph as Uint8Array, candidates, { weightsFolder: folder });
  expect(mapped?.outputs.get("y")?.[0]?.some((value) => value !== 0)).toBe(true);
  expect(mapped?.outputs).toEqual((await referenceOf(path, candidates))?.outputs);
  // The weights are nowhere else.
  await expect(referenceOf(graph as Uint8Array, candidates, { weightsFolder: tmpdir() })).rejects.toThrow();
});

it("is none where the file's bytes are not those that were read", async () => {
  expect(weightsInFile(read, { name: "model.onnx", bytes: bytes + 1 })).toBeUndefined();
  const external = join(folder, "external.onnx");
  await writeModelFile(external, read, { externalData: { location: "external.bin" } });
  const opened = await readModelFile(external);
  expect(
    weightsInFile(opened, { name: "external.onnx", bytes: (await stat(external)).size }),
  ).toBeUndefined();
  await writeModelFile(join(folder, "small.onnx"), model({ nodes: [node("Identity", ["x"], ["y"])] }));
  const small = await readModelFile(join(folder, "small.onnx"));
  expect(weightsInFile(small, { name: "small.onnx", bytes: 100 })).toBeUndefined();
});
