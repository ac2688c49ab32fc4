import { writeFile } from "node:fs/promises";
import { tensor } from "@nasty/core";
import { readModelFile } from "@nasty/formats/onnx/node";
import { RuntimeError } from "@nasty/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.js";
import { quantize } from "../../src/quantization/quantize.js";
import { verify } from "../../src/verification/verify.js";
import { abortingAt, openTinyFolder, type TinyFolder } from "../tiny-folder.js";
import { writeTextDirectory } from "../tiny-texts.js";
import { engineNamed, writeChanged, wrongEngine } from "./planted.js";

let folder: TinyFolder;
/** Quantized files by their mode. */
const files: Record<string, string> = {};
beforeAll(async () => {
  folder = await openTinyFolder();
  const modes = {
    dynamic: { mode: "dynamic" },
    static: { calibration: folder.path("test.conllu") },
    int4: { mode: "int4" },
    "weight-only": { mode: "weight-only" },
  } as const;
  for (const [name, options] of Object.entries(modes)) {
    const output = folder.path(`${name}.onnx`);
    await quantize(folder.path("pos"), { ...options, output });
    files[name] = output;
  }
}, 120_000);
afterAll(() => folder.remove());

const native = engineNamed("native");
const [original, test] = [() => folder.path("pos"), () => folder.path("test.conllu")];

describe("verify", () => {
  it.each(["dynamic", "static", "int4", "weight-only"])(
    "finds that engines agree on a file: %s",
    async (mode) => {
      const result = await verify(files[mode] as string, { original: original(), on: test() });
      expect(result).toMatchObject({
        ranOn: "text",
        reference: "native",
        brokenLayer: null,
        passed: true,
        engines: [
          {
            name: "native",
            available: true,
            status: "agrees",
            flips: 0,
            firstDifference: null,
            engineError: null,
          },
          { name: "wasm", available: true, status: "agrees", flips: 0, firstDifference: null },
          { name: "portable", available: true, status: "agrees", flips: 0, firstDifference: null },
        ],
      });
      const [first, second] = result.engines;
      // It is compared with the float model, which a quantized file is not.
      expect(first?.maxError).toBeGreaterThan(1e-4);
      expect(first?.cosine).toBeGreaterThan(0.99);
      expect(second?.engineError).toBeLessThan(result.tolerance);
    },
  );

  it("compares engines with each other where there is no original", async () => {
    const result = await verify(original(), { on: test(), samples: 3 });
    expect(result).toMatchObject({
      original: null,
      minCosine: null,
      batches: 3,
      tolerance: 1e-4,
      reference: "native",
      passed: true,
    });
    expect(result.engines[0]).toMatchObject({ maxError: 0, relativeError: 0, cosine: 1, flips: 0 });
    // One engine alone is compared with another that was not asked for.
    const one = await verify(original(), { on: test(), engines: ["wasm"] });
    expect(one).toMatchObject({ reference: "native", engines: [{ name: "wasm", status: "agrees" }] });
    expect(one.engines[0]?.engineError).not.toBeNull();
  });

  it.each([
    ["float", "hidden", "/encoder/MatMul", "MatMul"],
    ["dynamic", "hidden", "hidden", "Mul"],
    ["int4", "hidden", "/encoder/MatMul", "com.microsoft.MatMulNBits"],
    ["int4", "words", "/embedding/Gather", "com.microsoft.GatherBlockQuantized"],
    ["static", "positive", "/encoder/Relu", "Relu"],
  ])("names the node that one engine computes otherwise: %s, %s", async (mode, value, node, operator) => {
    const file = files[mode] ?? original();
    const wrong = wrongEngine(value, 1.2);
    const result = await verify(file, { on: test(), samples: 2, among: [native, wrong] });
    expect(result.passed).toBe(false);
    expect(result.engines).toMatchObject([
      { status: "agrees", firstDifference: null },
      { status: "departs", firstDifference: { node, operator, output: value, from: "native" } },
    ]);
    expect(result.engines[1]?.firstDifference?.error).toBeCloseTo(0.2, 1);
  });

  it("takes the engine that is nearest to the original for the right one", async () => {
    const wrong = wrongEngine("hidden", 3);
    const result = await verify(files["dynamic"] as string, {
      original: original(),
      on: test(),
      samples: 2,
      among: [wrong, native],
    });
    expect(result).toMatchObject({ reference: "native", brokenLayer: null, passed: false });
    expect(result.engines.map(({ status }) => status)).toEqual(["departs", "agrees"]);
  });

  it("says of values that are not finite that they are none", async () => {
    const wrong = wrongEngine("hidden", Number.POSITIVE_INFINITY);
    const { engines } = await verify(original(), { on: test(), samples: 2, among: [native, wrong] });
    expect(engines[1]).toMatchObject({
      status: "departs",
      maxError: null,
      relativeError: null,
      cosine: 0,
      firstDifference: { node: "/encoder/MatMul", error: null },
    });
  });

  it.each([
    ["dynamic", "encoder.weight", "/encoder/MatMul", 2],
    ["dynamic", "encoder.weight", "/encoder/MatMul", 0.5],
    ["dynamic", "classifier.weight", "/classifier/MatMul", 2],
    ["static", "classifier.weight", "/classifier/MatMul", 2],
    ["int4", "encoder.weight", "/encoder/MatMul", 2],
    ["weight-only", "encoder.weight", "/encoder/MatMul", 2],
    ["dynamic", "embedding.weight", "/embedding/Gather", 2],
  ])("names the layer of a broken file: %s, %s", async (mode, weight, node, factor) => {
    const scale = await scaleOf(files[mode] as string, weight);
    const output = folder.path("broken.onnx");
    const file = await writeChanged(files[mode] as string, {
      tensor: scale,
      output,
      change: (x) => factor * x,
    });
    const result = await verify(file, { original: original(), on: test(), samples: 2 });
    expect(result.passed).toBe(false);
    expect(result.brokenLayer).toMatchObject({ node, weights: [weight] });
    expect(result.brokenLayer?.sqnrDb).toBeCloseTo(factor === 2 ? 0 : 6, 0);
    expect(result.engines[0]).toMatchObject({
      status: "departs",
      firstDifference: { node, from: "original" },
    });
  });

  it("says what a version of an engine lacks, which fails only one that was asked for", async () => {
    const old = engineNamed("wasm", { version: async () => "1.21.0" });
    const among = [native, old];
    const options = { original: original(), on: test(), samples: 2, among };
    const result = await verify(files["int4"] as string, options);
    expect(result).toMatchObject({
      passed: true,
      engines: [{ status: "agrees" }, { status: "lacks", available: true }],
    });
    expect(result.engines[1]?.reason).toMatch(
      /^node \/embedding\/Gather: GatherBlockQuantized over bytes: ONNX Runtime 1\.21\.0 \(wasm\) .*; ONNX Runtime 1\.23 has it$/,
    );
    const asked = await verify(files["int4"] as string, { ...options, engines: ["native", "wasm"] });
    expect(asked).toMatchObject({ passed: false, reference: "native" });
    expect((await verify(files["dynamic"] as string, { ...options, engines: ["wasm"] })).passed).toBe(true);
  });

  it("refuses a file that an engine cannot run", async () => {
    const failing = engineNamed("failing", {
      open: async () => {
        throw new RuntimeError("load-failed", "openSession: file: load: expected a model, got: none");
      },
    });
    const result = await verify(original(), { on: test(), samples: 2, among: [native, failing] });
    expect(result).toMatchObject({
      passed: false,
      engines: [{ status: "agrees" }, { status: "fails", reason: expect.stringContaining("got: none") }],
    });
    const absent = engineNamed("absent", {
      version: async () => {
        throw new Error("absent is not installed");
      },
    });
    const among = [native, absent];
    const options = { on: test(), samples: 2, among };
    expect(await verify(original(), options)).toMatchObject({
      passed: true,
      engines: [{ status: "agrees" }, { status: "missing", available: false, maxError: null, cosine: null }],
    });
    expect(await verify(original(), { ...options, engines: ["absent"] })).toMatchObject({
      passed: false,
      reference: null,
      engines: [{ status: "missing", reason: "absent is not installed" }],
    });
  });

  it("runs inputs that a program gives", async () => {
    const ids = tensor("int64", [1, 3], BigInt64Array.of(2n, 9n, 3n));
    const inputs = [
      { input_ids: ids, attention_mask: tensor("int64", [1, 3], BigInt64Array.of(1n, 1n, 1n)) },
    ];
    const result = await verify(files["dynamic"] as string, { original: original(), inputs });
    expect(result).toMatchObject({ ranOn: "given", batches: 1, words: null, passed: true });
    const engines = [{ input_ids: ids }];
    const refused = await verify(files["dynamic"] as string, { inputs: engines, among: [native] });
    expect(refused).toMatchObject({ passed: false, engines: [{ status: "fails" }] });
  });

  it("runs texts of a classifier and counts those with another label", async () => {
    const [model, broken] = [folder.path("topics"), folder.path("topics-broken")];
    await writeTextDirectory(model, "classifier");
    await writeTextDirectory(broken, "classifier", { factor: -1 });
    await writeFile(
      folder.path("texts.jsonl"),
      '{"text": "Ada sings"}\n{"text": "in Paris"}\n{"text": "now"}\n',
    );
    const options = { on: folder.path("texts.jsonl"), engines: ["native"] };
    expect(await verify(model, { ...options, original: model })).toMatchObject({
      ranOn: "text",
      batches: 3,
      words: 3,
      passed: true,
      engines: [{ flips: 0 }],
    });
    const { engines, passed } = await verify(broken, { ...options, original: model });
    expect(passed).toBe(false);
    expect(engines[0]?.flips).toBeGreaterThan(0);
  });

  it("runs inputs of the graph from a file, of a model that reads text too", async () => {
    await writeFile(folder.path("ids.jsonl"), '{"input_ids": [[2, 9, 3]], "attention_mask": [[1, 1, 1]]}\n');
    const options = { original: original(), feeds: folder.path("ids.jsonl") };
    expect(await verify(files["dynamic"] as string, options)).toMatchObject({
      ranOn: "given",
      batches: 1,
      words: null,
      passed: true,
    });
    await expect(verify(original(), { ...options, on: test() })).rejects.toThrow(
      "verify: --feeds: expected no --test beside it",
    );
  });

  it("refuses wrong options, and ends on its signal", async () => {
    const model = original();
    await expect(verify(model, { engines: ["cuda"] })).rejects.toThrow(
      new UsageError("verify: --engine: expected one of native, wasm, portable, got cuda"),
    );
    await expect(verify(model, { tolerance: 0 })).rejects.toThrow(
      "verify: tolerance: expected a number above 0",
    );
    await expect(verify(folder.path("nothing.onnx"))).rejects.toThrow("nothing.onnx");
    await writeFile(folder.path("empty.conllu"), "");
    await expect(verify(model, { on: folder.path("empty.conllu") })).rejects.toThrow(
      "sentences: expected at least 1, got 0",
    );
    const { reason, running } = abortingAt("running the file on wasm");
    await expect(verify(model, { on: test(), ...running })).rejects.toBe(reason);
  });
});

/** Name of the tensor that holds the scales of a weight. */
async function scaleOf(file: string, weight: string): Promise<string> {
  const names = (await readModelFile(file)).graph?.initializer.map(({ name }) => name) ?? [];
  const found = names.filter((name) => name.startsWith(`${weight}_`) && /scale/.test(name));
  expect(found, names.join(", ")).toHaveLength(1);
  return found[0] as string;
}
