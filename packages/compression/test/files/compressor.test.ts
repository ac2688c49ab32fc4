import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serializeModel } from "@nasty/formats/onnx";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compressor } from "../../src/index.js";
import { linear } from "../tiny-models.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "compressor-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("compressor", () => {
  it("compresses models and bytes without loss", async () => {
    const bytes = serializeModel(linear());
    for (const method of ["gzip", "brotli"] as const) {
      const packed = await compressor.compress(linear(), { method });
      expect(packed.length).toBeLessThan(bytes.length);
      expect(await compressor.compress(bytes, { method })).toEqual(packed);
      expect(Buffer.compare(await compressor.decompress(packed, method), bytes)).toBe(0);
    }
  });

  it("writes files that read back as they were", async () => {
    const path = join(folder, "tiny.onnx");
    await writeModelFile(path, linear());
    const gzip = await compressor.compressFile(path);
    expect(gzip).toMatchObject({ path: `${path}.gz`, method: "gzip" });
    expect(gzip.originalBytes).toBe((await readFile(path)).length);
    expect(gzip.bytes).toBe((await readFile(gzip.path)).length);
    expect(gzip.ratio).toBeCloseTo(gzip.originalBytes / gzip.bytes, 12);
    const brotli = await compressor.compressFile(path, {
      method: "brotli",
      output: join(folder, "b.onnx.br"),
    });
    for (const { path: written } of [gzip, brotli]) {
      expect(serializeModel(await readModelFile(written))).toEqual(serializeModel(linear()));
    }
  });

  it("puts weights of data files into the one file", async () => {
    const path = join(folder, "external.onnx");
    await writeModelFile(path, linear(), { externalData: { thresholdBytes: 64, location: "external.bin" } });
    const { path: written, originalBytes } = await compressor.compressFile(path);
    expect(originalBytes).toBeGreaterThan((await readFile(path)).length);
    await rm(join(folder, "external.bin"));
    expect((await readModelFile(written)).graph?.initializer).toHaveLength(2);
  });

  it("ends on a signal and leaves what stood there", async () => {
    const path = join(folder, "ended.onnx");
    await writeModelFile(path, linear());
    await writeFile(`${path}.gz`, "before");
    const reason = new Error("enough");
    await expect(compressor.compressFile(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await readFile(`${path}.gz`, "utf8")).toBe("before");
    expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("refuses other methods and levels, names it would not be read by, and what is no model or compressed already", async () => {
    const path = join(folder, "tiny.onnx");
    await expect(compressor.compress(linear(), { method: "zip" as never })).rejects.toMatchObject({
      code: "invalid-option",
      message: "compressor.compress: method: expected gzip or brotli, got zip",
    });
    await expect(compressor.compress(linear(), { level: 10 })).rejects.toMatchObject({
      message: "compressor.compress: level: expected a whole number from 0 to 9 for gzip, got 10",
    });
    await expect(compressor.compressFile(path, { output: join(folder, "x.br") })).rejects.toMatchObject({
      code: "invalid-option",
    });
    await expect(compressor.compressFile(`${path}.gz`)).rejects.toMatchObject({ code: "invalid-option" });
    await writeFile(join(folder, "text.onnx"), "not a model");
    await expect(compressor.compressFile(join(folder, "text.onnx"))).rejects.toMatchObject({ kind: "input" });
    await expect(readFile(join(folder, "text.onnx.gz"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
