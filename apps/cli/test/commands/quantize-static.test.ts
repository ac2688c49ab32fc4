import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { computation, constants, history } from "../model-contents.js";
import { conllu, sentences } from "../tiny-corpus.js";
import { openWorkshop, type Workshop } from "../workshop.js";

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

describe.concurrent("static mode", () => {
  // Some methods cut so much off this tiny model's ranges that the file would be refused.
  const calibrated = (output: string, ...args: string[]) =>
    quantized(output, "--calibration", "test.conllu", "--min-cosine", "-1", ...args);
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
        const free = ["--min-cosine", "-1"];
        const result = await quantized(output, "--calibration", "many.conllu", ...free, ...args);
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

  test("says that a calibration file is given twice, under whatever name", async () => {
    const given = (...paths: string[]) =>
      shop.json([
        "quantize",
        "--model",
        "pos",
        "--output",
        "twice.onnx",
        ...paths.flatMap((path) => ["--calibration", path]),
      ]);
    const twice = await given("test.conllu", "./test.conllu:4");
    expect(twice.warnings.join()).toContain("calibration text ./test.conllu is given 2 times");
    expect((await given("test.conllu")).warnings.join()).not.toContain("given");
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

  test("a saved table gives the same model as the text it was measured on", async () => {
    await calibrated("measured.onnx", "--method", "percentile", "--save-calibration-table", "table.json");
    const table = JSON.parse((await shop.bytes("table.json")).toString());
    expect(table).toMatchObject({ schemaVersion: 1, method: "percentile", samples: 8 });
    expect(Object.keys(table.tensors)).toEqual(["positive", "words"]);
    const result = await quantized("fromtable.onnx", "--calibration-table", "table.json");
    expect(result).toMatchObject({ mode: "static", method: "percentile" });
    expect(computation(await modelAt("fromtable.onnx"))).toBe(computation(await modelAt("measured.onnx")));
    table.tensors.words.max *= 2;
    table.tensors.words.seenMax *= 2;
    await shop.write("changed.json", JSON.stringify(table));
    await quantized("changed.onnx", "--calibration-table", "changed.json");
    expect(await activationScales("changed.onnx")).not.toEqual(await activationScales("measured.onnx"));
  });
});
