import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compress } from "../../src/compressing/compress.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { openModel } from "../../src/models/model.js";
import { abortingAt, openTinyFolder, type TinyFolder } from "../tiny-folder.js";

let folder: TinyFolder;
beforeAll(async () => {
  folder = await openTinyFolder();
});
afterAll(() => folder.remove());

describe("compress", () => {
  it("gives a smaller model that is right like the one it was made of", async () => {
    await using model = await openModel(folder.path("pos"));
    const small = await compress(model);
    expect(small).toMatchObject({
      model: folder.path("pos"),
      method: "gzip",
      modelBytes: model.bytes,
      path: `${model.modelPath}.gz`,
      passed: true,
    });
    expect(small.bytes).toBe((await readFile(small.path)).length);
    expect(small.ratio).toBeCloseTo(small.modelBytes / small.bytes);
    const brotli = await compress(model, { method: "brotli", level: 11, output: folder.path("b.onnx.br") });
    expect(brotli.bytes).toBeLessThan(small.bytes);
    expect((await openModel(brotli.path)).history.at(-1)?.options).toEqual({ method: "brotli" });
  });

  it("of a model file gives one that tags", async () => {
    const file = folder.path("file.onnx");
    const { prune } = await import("../../src/pruning/prune.js");
    await prune(folder.path("pos"), { sparsity: 0, output: file });
    const { value } = await evaluate(await compress(file), { on: folder.path("test.conllu") });
    expect(value).toBe(1);
  });

  it.each<[object, string]>([
    [{ methods: "gzip" }, "compress: methods: expected one of model, method, level, output"],
    [{ method: "zip" }, "compress: method: expected one of gzip, brotli"],
    [{ level: 10 }, "level: expected a whole number from 0 to 9 for gzip, got 10"],
    [{ method: "brotli", output: "pos.onnx.gz" }, "expected a name that ends in .br"],
  ])("refuses %j", async (options, message) => {
    await expect(compress(folder.path("pos"), options)).rejects.toThrow(message);
  });

  it("ends on a signal and writes nothing", async () => {
    const before = await folder.snapshot();
    const { reason, running } = abortingAt("compressing");
    const output = folder.path("ended.onnx.gz");
    await expect(compress(folder.path("pos"), { output, ...running })).rejects.toBe(reason);
    expect(await folder.snapshot()).toEqual(before);
  });
});
