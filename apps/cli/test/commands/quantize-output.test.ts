import { chmod, mkdir, readdir, stat } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const quantized = (output: string, ...args: string[]) =>
  shop.json(["quantize", "--model", "pos", "--output", output, ...args]);

describe("output", () => {
  test("default names say how the file was made", async () => {
    const nameFor = async (...args: string[]) =>
      (await shop.json(["quantize", "--model", ...args])).output.path;
    expect(await nameFor("pos")).toBe(shop.path("pos_int8_dynamic.onnx"));
    expect(await nameFor("pos", "--calibration", "test.conllu", "--method", "percentile")).toBe(
      shop.path("pos_int8_percentile.onnx"),
    );
    await shop.write("v1_fp32.onnx", await shop.bytes("pos/onnx/model.onnx"));
    expect(await nameFor("v1_fp32.onnx", "--compress", "gzip")).toBe(shop.path("v1_int8_dynamic.onnx.gz"));
  });

  test("--compress gzip and brotli: the same model, smaller, read back transparently", async () => {
    const gz = await quantized("c.onnx", "--compress", "gzip");
    const br = await quantized("c.onnx.br", "--compress", "brotli");
    await quantized("c.onnx");
    const plain = await shop.bytes("c.onnx");
    expect(gz.output.path).toBe(shop.path("c.onnx.gz"));
    expect(gunzipSync(await shop.bytes("c.onnx.gz"))).toEqual(plain);
    expect(brotliDecompressSync(await shop.bytes("c.onnx.br"))).toEqual(plain);
    expect(gz.output.bytes).toBe((await stat(shop.path("c.onnx.gz"))).size);
    expect(gz.output.bytes).toBeLessThan(plain.length);
    expect(br.output.path).toBe(shop.path("c.onnx.br"));
    const result = await shop.json(["eval", "--model", "c.onnx.gz", "--test", "test.conllu"]);
    expect(result).toMatchObject({ value: 1, modelBytes: gz.output.bytes });
  });

  test("--dry-run prints the plan and writes nothing", async () => {
    const before = await readdir(shop.folder);
    // Nor did the runs before this one leave anything of their own.
    expect(before).not.toContainEqual(expect.stringMatching(/^\./));
    const plan = await shop.json(["quantize", "--model", "pos", "--output", "never.onnx", "--dry-run"]);
    expect(plan).toMatchObject({ output: null, mode: "dynamic", plan: { mode: "dynamic" } });
    expect(plan.plan.tensors).toHaveLength(3);
    const { stdout } = await shop.nasty([
      "quantize",
      "--model",
      "pos",
      "--output",
      "never.onnx",
      "--dry-run",
    ]);
    expect(stdout).toContain("classifier.weight");
    expect(await readdir(shop.folder)).toEqual(before);
  });

  test("--report writes a page of its own with every weight", async () => {
    await quantized("r.onnx", "--report", "report.html");
    const html = (await shop.bytes("report.html")).toString();
    expect(html).toMatch(/^<!doctype html>/);
    for (const text of ["embedding.weight", "encoder.weight", "classifier.weight", "SHA-256", "r.onnx"]) {
      expect(html).toContain(text);
    }
    expect(html).not.toMatch(/src=|href=|<script/);
  });

  test("an existing output is replaced, its permissions kept", async () => {
    await shop.write("old.onnx", "old");
    await chmod(shop.path("old.onnx"), 0o600);
    await quantized("old.onnx");
    expect((await shop.bytes("old.onnx")).length).toBeGreaterThan(100);
    expect((await stat(shop.path("old.onnx"))).mode & 0o777).toBe(0o600);
  });

  test("for people: what was written, how much smaller, what lost most", async () => {
    const { stdout, stderr } = await shop.nasty(["quantize", "--model", "pos", "--output", "h.onnx"]);
    expect(stdout).toMatch(/^Wrote .*h\.onnx\n {2}[\d.]+ kB -> [\d.]+ kB \([\d.]+x smaller\)/);
    expect(stdout).toContain("2 quantized matrix kernels, 0 float, 0 stray");
    expect(stderr).toContain("quantizing 3 weights");
    expect(stdout + stderr).not.toContain(".h.onnx.");
    const quiet = await shop.nasty(["quantize", "--model", "pos", "--output", "h.onnx", "--quiet"]);
    expect(quiet.stderr).toBe("");
  });
});

describe("a folder of several models", () => {
  test("is quantized file by file", async () => {
    const model = await shop.bytes("pos/onnx/model.onnx");
    await mkdir(shop.path("two"));
    await shop.write("two/encoder.onnx", model);
    await shop.write("two/decoder.onnx", model);
    const plans = await shop.json(["quantize", "--model", "two", "--dry-run"]);
    expect(plans.models.map(({ output, mode }: Record<string, unknown>) => [output, mode])).toEqual([
      [null, "dynamic"],
      [null, "dynamic"],
    ]);
    const { models, unchanged } = await shop.json(["quantize", "--model", "two"]);
    expect(unchanged).toEqual([]);
    expect(models.map(({ output }: { readonly output: { readonly path: string } }) => output.path)).toEqual([
      shop.path("two/decoder_int8_dynamic.onnx"),
      shop.path("two/encoder_int8_dynamic.onnx"),
    ]);
    const { stdout } = await shop.nasty(["quantize", "--model", "two", "--output", "made"]);
    expect(stdout.match(/^Wrote .*$/gm)).toHaveLength(2);
    await shop.refused(2, ["quantize", "--model", "two", "--calibration", "test.conllu"]);
    await shop.refused(2, ["quantize", "--model", "two", "--output", "two"]);
  });
});
