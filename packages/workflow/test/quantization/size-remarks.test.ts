import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quantize } from "../../src/quantization/quantize.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-size-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One product of a square weight. */
async function written(width: number): Promise<string> {
  const path = join(folder, `${width}.onnx`);
  const value = (name: string) => makeValueInfo(name, "float32", ["batch", width]);
  const values = Float32Array.from({ length: width * width }, (_, i) => Math.sin(i * 12.9898));
  const graph = makeGraph("square", {
    nodes: [makeNode("MatMul", ["x", "weight"], ["y"], { name: "/MatMul" })],
    inputs: [value("x")],
    outputs: [value("y")],
    initializers: [makeTensor("weight", "float32", { values, shape: [width, width] })],
  });
  await writeModelFile(path, makeModel(graph, { opsets: { "": 17 }, irVersion: 8 }));
  return path;
}

test("a file that is not smaller than its original is said to be none", async () => {
  const grown = await quantize(await written(8), { mode: "dynamic", output: join(folder, "grown.onnx") });
  expect(grown.output?.bytes).toBeGreaterThan(grown.modelBytes);
  expect(grown.warnings.join()).toContain("the file is not smaller than its original (");
  const shrunk = await quantize(await written(64), { mode: "dynamic", output: join(folder, "shrunk.onnx") });
  expect(shrunk.output?.bytes).toBeLessThan(shrunk.modelBytes);
  expect(shrunk.warnings.join()).not.toContain("smaller");
});
