import { chmod, readdir, stat } from "node:fs/promises";
import { gunzipSync, brotliDecompressSync } from "node:zlib";
import { createHash } from "node:crypto";
import { tensorFromProto, type ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conllu, sentences } from "../tiny-corpus.js";
import { writeTinyDirectory } from "../tiny-tagger.js";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  // One large value among a hundred thousand: the least squared error is then to cut it off.
  const quiet = sentences.filter((sentence) => !sentence.includes("loud"));
  const many = Array.from({ length: 60 }, () => quiet).flat();
  await shop.write("many.conllu", conllu([...many, sentences[2] as string]));
});
afterAll(() => shop.remove());

const quantized = (output: string, ...args: string[]) =>
  shop.json(["quantize", "--model", "pos", "--output", output, ...args]);
const modelAt = (name: string): Promise<ModelProto> => readModelFile(shop.path(name));

/** Shapes of the int8 weights' scales and zero points, by how many numbers they have. */
function constants(model: ModelProto) {
  return (model.graph?.initializer ?? []).map((tensor) => ({
    name: tensor.name,
    ...tensorFromProto(tensor),
  }));
}

/** The record of the last step, as the file carries it. */
function history(model: ModelProto): { options: Record<string, Json> } {
  const text = model.metadataProps.find(({ key }) => key === "nasty.history")?.value ?? "{}";
  return JSON.parse(text).steps.at(-1);
}

describe.concurrent("dynamic mode", () => {
  test("the JSON document has the keys that scripts rely on, and the file is what it says", async () => {
    const result = await quantized("d.onnx", "--mode", "dynamic");
    expect(result).toMatchObject({ model: "pos", mode: "dynamic", method: "none", gate: null });
    const content = await shop.bytes("d.onnx");
    expect(result.output).toEqual({
      path: shop.path("d.onnx"),
      bytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
    });
    expect(result.tensors).toHaveLength(3);
    expect(result.tensors[0]).toEqual({
      name: expect.any(String),
      op: expect.stringMatching(/^(Gather|MatMul)$/),
      dtype: "int8",
      granularity: expect.stringContaining("per-channel"),
      sqnrDb: expect.any(Number),
    });
    expect(result.audit.timeShares).toEqual({ int8: 1, blocks: 0, float: 0 });
    expect(result.audit).toMatchObject({ quantizedKernels: 2, floatMatMuls: 0, strayQdq: 0 });
  });

  test("is the mode without calibration, and two runs give the same bytes", async () => {
    const [one, two] = await Promise.all([quantized("same1.onnx"), quantized("same2.onnx")]);
    expect(one.mode).toBe("dynamic");
    expect(await shop.bytes("same1.onnx")).toEqual(await shop.bytes("same2.onnx"));
    expect(one.output.sha256).toBe(two.output.sha256);
  });

  test("the written file carries its tagger: it tags without anything beside it", async () => {
    await quantized("alone.onnx");
    const { stdout } = await shop.nasty(["tag", "--model", "alone.onnx"], { input: "The cat sat." });
    expect(stdout).toBe("The/DET cat/NOUN sat/VERB ./PUNCT\n");
  });

  test("--no-per-channel: one scale a weight", async () => {
    const result = await quantized("tensor.onnx", "--no-per-channel");
    expect(result.tensors.map(({ granularity }: Json) => granularity)).toEqual(Array(3).fill("per-tensor"));
    await quantized("channel.onnx", "--per-channel");
    const vectors = async (name: string) =>
      constants(await modelAt(name)).filter(({ dtype, shape }) => dtype === "float32" && shape[0] === 32);
    expect(await vectors("channel.onnx")).not.toHaveLength(0);
    expect(await vectors("tensor.onnx")).toHaveLength(0);
  });

  test("--asymmetric: zero points that are not zero; --symmetric: none", async () => {
    const points = async (name: string) =>
      constants(await modelAt(name))
        .filter(({ dtype, shape }) => dtype === "int8" && shape.length < 2)
        .flatMap(({ data }) => Array.from(data as Int8Array));
    await quantized("asymmetric.onnx", "--asymmetric");
    await quantized("symmetric.onnx", "--symmetric");
    expect((await points("asymmetric.onnx")).some((point) => point !== 0)).toBe(true);
    expect((await points("symmetric.onnx")).every((point) => point === 0)).toBe(true);
  });

  test("--reduce-range: weights within ±64", async () => {
    const largest = async (name: string) =>
      Math.max(
        ...constants(await modelAt(name))
          .filter(({ dtype, shape }) => dtype === "int8" && shape.length === 2)
          .flatMap(({ data }) => Array.from(data as Int8Array, Math.abs)),
      );
    await quantized("reduced.onnx", "--reduce-range");
    await quantized("full.onnx");
    expect(await largest("reduced.onnx")).toBeLessThanOrEqual(64);
    expect(await largest("full.onnx")).toBe(127);
  });

  test("--op-types: only the operators named", async () => {
    const result = await quantized("gather.onnx", "--op-types", "Gather");
    expect(result.tensors.map(({ op }: Json) => op)).toEqual(["Gather"]);
  });

  test.each([
    ["an exact name of a node", "/classifier/MatMul", ["encoder.weight", "embedding.weight"]],
    ["an exact name of a weight", "classifier.weight", ["encoder.weight", "embedding.weight"]],
    ["a glob", "/enc*/**", ["classifier.weight", "embedding.weight"]],
    ["a regular expression", "/^.(encoder|classifier)./", ["embedding.weight"]],
  ])("--skip-layers with %s", async (_, pattern, left) => {
    const result = await quantized("skip.onnx", "--skip-layers", pattern);
    expect(result.tensors.map(({ name }: Json) => name).sort()).toEqual([...left].sort());
    expect(result.keptInFloat.map(({ reason }: Json) => reason)).toContain(`skipped by pattern ${pattern}`);
  });

  test("--skip-layers several times", async () => {
    const result = await quantized("skips.onnx", "--skip-layers", "/encoder/*", "--skip-layers", "/cl*/*");
    expect(result.tensors.map(({ name }: Json) => name)).toEqual(["embedding.weight"]);
  });

  test("a model without tagger is quantized, with a remark", async () => {
    await shop.write("bare.onnx", await shop.bytes("pos/onnx/model.onnx"));
    const result = await shop.json(["quantize", "--model", "bare.onnx"]);
    expect(result.output.path).toBe(shop.path("bare_int8_dynamic.onnx"));
    expect(result.warnings.join()).toContain("no tagger");
  });
});

describe.concurrent("static mode", () => {
  const calibrated = (output: string, ...args: string[]) =>
    quantized(output, "--calibration", "test.conllu", ...args);
  /** Scales and zero points of the activations: scalars of QuantizeLinear. */
  const activationScales = async (name: string) =>
    constants(await modelAt(name))
      .filter(({ dtype, shape }) => dtype === "float32" && shape.length === 0)
      .map(({ data }) => (data as Float32Array)[0]);

  test("calibration chooses it; the record says how ranges were found", async () => {
    const result = await calibrated("s.onnx");
    expect(result).toMatchObject({ mode: "static", method: "minmax", audit: { quantizedKernels: 2 } });
    expect(history(await modelAt("s.onnx")).options).toMatchObject({
      mode: "static",
      calibrationMethod: "minmax",
      calibrationSamples: 8,
    });
    const evaluated = await shop.json(["eval", "--model", "s.onnx", "--test", "test.conllu"]);
    expect(evaluated.value).toBe(1);
  });

  test("two runs give the same bytes", async () => {
    await calibrated("s1.onnx", "--method", "entropy");
    await calibrated("s2.onnx", "--method", "entropy");
    expect(await shop.bytes("s1.onnx")).toEqual(await shop.bytes("s2.onnx"));
  });

  test.each([["percentile", "--percentile", "90"], ["entropy"], ["moving-average"], ["mse"]])(
    "--method %s changes ranges",
    async (method, ...more) => {
      const measured = async (...args: string[]) => {
        const output = `${args[1]}.onnx`;
        const result = await quantized(output, "--calibration", "many.conllu", ...args);
        expect(result.method).toBe(args[1]);
        return activationScales(output);
      };
      expect(await measured("--method", method, ...more)).not.toEqual(await measured("--method", "minmax"));
    },
  );

  test("--percentile changes ranges", async () => {
    await calibrated("p90.onnx", "--method", "percentile", "--percentile", "90");
    await calibrated("p99.onnx", "--method", "percentile", "--percentile", "99.99");
    expect(await activationScales("p90.onnx")).not.toEqual(await activationScales("p99.onnx"));
  });

  test("--activations symmetric changes zero points", async () => {
    const points = async (name: string) =>
      constants(await modelAt(name))
        .filter(({ dtype, shape }) => dtype === "uint8" && shape.length === 0)
        .map(({ data }) => (data as Uint8Array)[0]);
    await calibrated("actsym.onnx", "--activations", "symmetric");
    await calibrated("actasym.onnx", "--activations", "asymmetric");
    expect(new Set(await points("actsym.onnx"))).toEqual(new Set([128]));
    expect(await points("actasym.onnx")).not.toContain(128);
  });

  test("--limit, FILE:N and several sources decide how many sentences are used", async () => {
    const samples = async (...args: string[]) => {
      await quantized("n.onnx", ...args);
      return history(await modelAt("n.onnx")).options.calibrationSamples;
    };
    expect(await samples("--calibration", "test.conllu", "--limit", "3")).toBe(3);
    expect(await samples("--calibration", "test.conllu:5")).toBe(5);
    expect(await samples("--calibration", "test.conllu:2", "--calibration", "test.iob2:4")).toBe(6);
    expect(await samples("--calibration", "test.conllu", "--calibration", "test.iob2", "--limit", "6")).toBe(
      6,
    );
  });

  test("--seed chooses which sentences of a longer file are used", async () => {
    const made = ["1", "2", "3"].map(async (seed) => {
      await calibrated(`seed${seed}.onnx`, "--limit", "2", "--seed", seed);
      return (await shop.bytes(`seed${seed}.onnx`)).toString("base64");
    });
    const files = new Set(await Promise.all(made));
    expect(files.size).toBeGreaterThan(1);
  });

  test("--limit beyond the file is a remark", async () => {
    const result = await calibrated("short.onnx", "--limit", "20");
    expect(result.warnings.join()).toContain("calibrated on 8 sentences, fewer than --limit 20");
  });

  test("plain text, and standard input in either form", async () => {
    await shop.write("plain.txt", "The cat sat. A dog ran in Paris.\n");
    await quantized("txt.onnx", "--calibration", "plain.txt");
    expect(history(await modelAt("txt.onnx")).options.calibrationSamples).toBe(2);
    const piped = async (input: string | Uint8Array) => {
      await shop.json(["quantize", "--model", "pos", "--output", "in.onnx", "--calibration", "-"], { input });
      return history(await modelAt("in.onnx")).options.calibrationSamples;
    };
    expect(await piped(await shop.bytes("test.conllu"))).toBe(8);
    expect(await piped(await shop.bytes("test.iob2"))).toBe(8);
    expect(await piped("The cat sat.\n\nA dog ran.\n")).toBe(2);
  });

  test("a saved table gives the same bytes as the text it was measured on", async () => {
    await calibrated("measured.onnx", "--method", "percentile", "--save-calibration-table", "table.json");
    const table = JSON.parse((await shop.bytes("table.json")).toString());
    expect(table).toMatchObject({ schemaVersion: 1, method: "percentile", samples: 8 });
    expect(Object.keys(table.tensors)).toEqual(["positive", "words"]);
    const result = await quantized("fromtable.onnx", "--calibration-table", "table.json");
    expect(result).toMatchObject({ mode: "static", method: "percentile" });
    expect(await shop.bytes("fromtable.onnx")).toEqual(await shop.bytes("measured.onnx"));
    table.tensors.words.max *= 2;
    table.tensors.words.seenMax *= 2;
    await shop.write("changed.json", JSON.stringify(table));
    await quantized("changed.onnx", "--calibration-table", "changed.json");
    expect(await activationScales("changed.onnx")).not.toEqual(await activationScales("measured.onnx"));
  });
});

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

describe("the accuracy gate", () => {
  const gated = (target: string, ...args: string[]) => [
    ..."quantize --output gated.onnx --validation test.conllu --target-accuracy-loss".split(" "),
    target,
    ...args,
  ];
  const fragile = () => gated("0.01", "--model", "fragile", "--no-fallback");
  beforeAll(async () => {
    await writeTinyDirectory(shop.path("fragile"), { fragile: true });
  });

  test("passes a model that loses nothing, with its figures", async () => {
    const { gate, output } = await shop.json(gated("0.01", "--model", "pos"));
    expect(gate).toMatchObject({
      metric: "accuracy",
      original: 1,
      quantized: 1,
      loss: 0,
      lossCi95: [0, 0],
      flips: 0,
      target: 0.01,
      passed: true,
      keptInFloat: [],
      attempts: 1,
      batchMates: { words: expect.any(Number), flips: 0 },
      unfinished: null,
    });
    expect(output.path).toBe(shop.path("gated.onnx"));
  });

  test("refuses a model that lost: exit code 4, the figures, the old output untouched", async () => {
    await shop.write("gated.onnx", "an older file");
    const message = await shop.refused(4, fragile());
    expect(message).toMatch(/at most 1\.00 points of accuracy, got \d\d\.\d\d \(100\.00 -> \d+\.\d\d\)/);
    expect(message).not.toContain(".gated.onnx.");
    expect((await shop.bytes("gated.onnx")).toString()).toBe("an older file");
  });

  test("leaves the most sensitive weight in float before it refuses", async () => {
    const { gate, tensors } = await shop.json(gated("0.01", "--model", "fragile"));
    expect(gate).toMatchObject({ passed: true, quantized: 1, keptInFloat: ["embedding.weight"] });
    expect(tensors.map(({ name }: Json) => name)).not.toContain("embedding.weight");
  });

  test("the figures of a refused model are in the JSON document too", async () => {
    const { code, stdout } = await shop.nasty([...fragile(), "--json"]);
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ output: null, gate: { passed: false, target: 0.01 } });
  });

  test("a larger target lets it pass, and so does the layer left in float", async () => {
    expect((await shop.json(gated("1", "--model", "fragile"))).gate.passed).toBe(true);
    const skipped = await shop.json([...fragile(), "--skip-layers", "/embedding/**"]);
    expect(skipped.gate).toMatchObject({ passed: true, quantized: 1 });
  });

  test("leaves the weight that does the damage in float, and only that", async () => {
    const result = await shop.json(gated("0.01", "--model", "fragile"));
    expect(result.gate).toMatchObject({
      passed: true,
      quantized: 1,
      keptInFloat: ["embedding.weight"],
      attempts: 2,
    });
    expect(result.tensors.map(({ name }: Json) => name)).toEqual(["encoder.weight", "classifier.weight"]);
    expect(result.keptInFloat).toContainEqual({
      name: "/embedding/Gather",
      op: "Gather",
      reason: "left in float by the accuracy gate",
    });
    expect(result.output.bytes).toBe((await stat(shop.path("gated.onnx"))).size);
    const { value } = await shop.json(["eval", "--model", "gated.onnx", "--test", "test.conllu"]);
    expect(value).toBe(1);
  });

  test("--time-budget: keeps the best model and the search when the time is up, and goes on with it", async () => {
    const args = gated("0.01", "--model", "fragile").map((arg) =>
      arg === "gated.onnx" ? "timed.onnx" : arg,
    );
    const stopped = await shop.nasty([...args, "--time-budget", "0"]);
    expect(stopped.code).toBe(4);
    expect(stopped.stderr).toContain("timed_best.onnx; run the same command again to go on");
    expect(await readdir(shop.folder)).not.toContain("timed.onnx");
    const record = JSON.parse((await shop.bytes("timed.onnx.gate.json")).toString());
    expect(record.state.attempts).toHaveLength(1);
    const { value } = await shop.json(["eval", "--model", "timed_best.onnx", "--test", "test.conllu"]);
    expect(record.state.attempts[0].value).toBe(value);
    const resumed = await shop.json([...args, "--time-budget", "600"]);
    expect(resumed.gate).toMatchObject({ passed: true, attempts: 2, keptInFloat: ["embedding.weight"] });
    expect(await readdir(shop.folder)).not.toContain("timed.onnx.gate.json");
  });

  test("validation from standard input is read once for both models", async () => {
    const args = ["quantize", "--model", "pos", "--target-accuracy-loss", "0.01", "--validation", "-"];
    const result = await shop.json(args, { input: await shop.bytes("test.conllu") });
    expect(result.gate.passed).toBe(true);
  });
});

describe("weights in blocks", () => {
  const blocks = async (name: string) =>
    (await modelAt(name)).graph?.node
      .filter(({ domain }) => domain === "com.microsoft")
      .map(({ opType }) => opType);

  test("--mode int4 and weight-only: smaller files that tag as before", async () => {
    const four = await quantized("four.onnx", "--mode", "int4");
    const eight = await quantized("eight.onnx", "--mode", "weight-only");
    expect(four).toMatchObject({ mode: "int4", method: "nearest" });
    expect(four.tensors[0]).toMatchObject({ dtype: "uint4", granularity: "per-block (axis 1, 32)" });
    expect(eight.tensors[0]).toMatchObject({ dtype: "uint8", granularity: "per-block (axis 1, 64)" });
    expect(four.output.bytes).toBeLessThan(eight.output.bytes);
    expect(await blocks("four.onnx")).toEqual(["GatherBlockQuantized", "MatMulNBits", "MatMulNBits"]);
    for (const model of ["four.onnx", "eight.onnx"]) {
      const { value } = await shop.json(["eval", "--model", model, "--test", "test.conllu"]);
      expect(value).toBe(1);
    }
  });

  test("every option changes the file", async () => {
    const variants = [
      [],
      ["--block-size", "16"],
      ["--asymmetric"],
      ["--rounding", "mse"],
      ["--accuracy-level", "1"],
      ["--calibration", "test.conllu"],
      ["--calibration", "test.conllu", "--correct-biases"],
    ];
    const files = new Set<string>();
    for (const args of variants) {
      const { output } = await quantized("variant.onnx", "--mode", "int4", ...args);
      files.add(output.sha256);
    }
    expect(files.size).toBe(variants.length);
  });

  test("--target-size mixes bits under the size, or says that it cannot", async () => {
    const four = await quantized("four.onnx", "--mode", "int4");
    const target = four.output.bytes + 1000;
    const args = ["--calibration", "test.conllu", "--target-size"];
    const result = await quantized("mixed.onnx", ...args, `${target / 1000}kB`);
    expect(result.mode).toBe("mixed");
    expect(result.output.bytes).toBeLessThanOrEqual(target);
    expect(result.output.bytes).toBeGreaterThan(four.output.bytes);
    const message = await shop.refused(3, [
      "quantize",
      "--model",
      "pos",
      "--output",
      "no.onnx",
      ...args,
      "100",
    ]);
    expect(message).toContain("expected at most 100, got");
  });

  test("--migrate-outliers moves the outlier's range into the weights", async () => {
    const args = ["--calibration", "test.conllu", "--mode", "static"];
    await quantized("plain.onnx", ...args);
    const result = await quantized("even.onnx", ...args, "--migrate-outliers");
    expect(result.warnings.join()).toContain("--migrate-outliers: outlier channels of");
    expect(await shop.bytes("even.onnx")).not.toEqual(await shop.bytes("plain.onnx"));
  });

  test.each([
    [["--mode", "int4", "--rounding", "gptq"], "--rounding gptq: expected --calibration FILE"],
    [["--target-size", "5MB"], "--target-size: expected --calibration FILE"],
    [["--mode", "dynamic", "--block-size", "32"], "--block-size 32: expected --mode int4 or weight-only"],
    [["--mode", "int4", "--rounding", "mse", "--calibration", "test.conllu"], "expected no --calibration"],
    [["--mode", "int4", "--block-size", "48"], "expected 16, 32, 64, 128 or 256, got 48"],
    [["--time-budget", "5"], "--time-budget: expected --target-accuracy-loss"],
  ])("%s is refused", async (args, expected) => {
    const { code, stderr } = await shop.nasty(["quantize", "--model", "pos", "--output", "no.onnx", ...args]);
    expect(code, stderr).toBeGreaterThan(1);
    expect(stderr).toContain(expected);
  });
});
