import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { parseModel, serializeModel, withMetadata } from "@nasty/formats/onnx";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorkshop, type Json, type Workshop } from "../workshop.js";

let shop: Workshop;
let version: string;
let text: string;
let input: string;
beforeAll(async () => {
  shop = await openWorkshop();
  const manifest = new URL("../../package.json", import.meta.url);
  ({ version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string });
  await shop.write("words.txt", "The cat sat on a big house .\nAda ran in Paris .\n");
  await shop.write("old.onnx", await shop.bytes("pos/onnx/model.onnx"));
  text = await sha256("test.conllu");
  input = await sha256("pos/onnx/model.onnx");
});
afterAll(() => shop.remove());

const sha256 = async (name: string): Promise<string> =>
  createHash("sha256")
    .update(await shop.bytes(name))
    .digest("hex");

/** The steps that `nasty inspect` shows, and that each of them names the versions at work. */
async function historyOf(model: string): Promise<Json[]> {
  const { history } = await shop.json(["inspect", "--model", model]);
  for (const step of history) {
    if (step.step !== "compress")
      expect(step.versions).toEqual({ nasty: version, onnxruntime: expect.any(String) });
  }
  // No path and no time: the same work gives the same bytes.
  expect(JSON.stringify(history)).not.toContain(shop.folder);
  return history;
}

describe.concurrent("the history names input, options and data", () => {
  test.each<[string, string[], Json, Json]>([
    ["dynamic", ["--mode", "dynamic"], { mode: "dynamic", perChannel: true }, undefined],
    ["int4", ["--mode", "int4", "--block-size", "16"], { mode: "int4", blockSize: 16 }, undefined],
    ["weights", ["--mode", "weight-only"], { mode: "weight-only" }, undefined],
    [
      "static",
      ["--calibration", "test.conllu:6", "--calibration", "words.txt:2", "--method", "entropy"],
      { mode: "static", calibrationMethod: "entropy", calibrationSamples: 8 },
      ["test.conllu", "words.txt"],
    ],
  ])("quantize, %s", async (name, args, options, calibration) => {
    await shop.json(["quantize", "--model", "pos", ...args, "--output", `${name}.onnx`]);
    const [step, ...others] = await historyOf(`${name}.onnx`);
    expect(others).toEqual([]);
    expect(step).toMatchObject({ step: "quantize", options, inputSha256: input });
    expect(step.data).toEqual(
      calibration === undefined ? undefined : { calibration: await Promise.all(calibration.map(sha256)) },
    );
  });

  test("quantize with a gate: its text, and what it left in float", async () => {
    const gate = ["--target-accuracy-loss", "1", "--validation", "test.conllu"];
    await shop.json(["quantize", "--model", "pos", ...gate, "--output", "gated.onnx"]);
    expect(await historyOf("gated.onnx")).toMatchObject([{ step: "quantize", data: { validation: text } }]);
  });

  test("quantize with calibration text from standard input", async () => {
    const bytes = await shop.bytes("words.txt");
    await shop.json(["quantize", "--model", "pos", "--calibration", "-", "--output", "piped.onnx"], {
      input: bytes,
    });
    expect(await historyOf("piped.onnx")).toMatchObject([
      { data: { calibration: [await sha256("words.txt")] } },
    ]);
  });

  test("prune, then quantize, then compress", async () => {
    await shop.json([
      "prune",
      "--model",
      "pos",
      "--sparsity",
      "0.3",
      "--vocabulary",
      "words.txt",
      "--output",
      "p.onnx",
    ]);
    await shop.json(["quantize", "--model", "p.onnx", "--output", "pq.onnx"]);
    await shop.json(["compress", "--model", "pq.onnx"]);
    const history = await historyOf("pq.onnx.gz");
    expect(history).toMatchObject([
      {
        step: "prune",
        options: { sparsity: 0.3 },
        inputSha256: input,
        data: { vocabulary: await sha256("words.txt") },
      },
      { step: "quantize", inputSha256: await sha256("p.onnx") },
      { step: "compress", options: { method: "gzip" }, inputSha256: await sha256("pq.onnx") },
    ]);
    const { compressed } = await shop.json(["inspect", "--model", "pq.onnx.gz"]);
    expect(compressed).toEqual({
      method: "gzip",
      modelBytes: (await shop.bytes("pq.onnx")).length,
      sha256: await sha256("pq.onnx"),
    });
    const { stdout } = await shop.nasty(["inspect", "--model", "pq.onnx.gz"]);
    expect(stdout).toContain("History, oldest step first:");
    expect(stdout).toMatch(
      / {2}1\. prune: .*sparsity 0\.3.*\n {5}input [0-9a-f]{16}…\n {5}vocabulary [0-9a-f]{16}…\n {5}with nasty /,
    );
    expect(stdout).toMatch(/ {2}3\. compress: method gzip\n {5}input [0-9a-f]{16}…/);
  });

  test("metadata under its name that is not a history counts as none", async () => {
    const model = parseModel(await shop.bytes("old.onnx"));
    const foreign = {
      "nasty.history": JSON.stringify({ steps: [null, { step: "prune" }, { kind: "other" }] }),
    };
    await shop.write("foreign.onnx", serializeModel(withMetadata(model, foreign)));
    expect(await shop.json(["inspect", "--model", "foreign.onnx"])).toMatchObject({ history: [] });
    const { code, stdout } = await shop.nasty(["inspect", "--model", "foreign.onnx"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("History: not recorded") });
  });

  test("train", async () => {
    const data = ["--train", "test.conllu", "--validation", "test.conllu"];
    const args = ["--task", "pos", "--architecture", "cnn", "--epochs", "1", "--output", "cnn.onnx"];
    await shop.json(["train", ...data, ...args]);
    const [step, ...others] = await historyOf("cnn.onnx");
    expect(others).toEqual([]);
    expect(step).toMatchObject({
      step: "train",
      options: { task: "pos", architecture: "cnn", epochs: 1, seed: 1 },
      data: { train: text, validation: text },
    });
    // Nothing was there before: random weights have no input.
    expect(step).not.toHaveProperty("inputSha256");
  });

  test("fine-tune goes on with the history of its base, in ONNX and safetensors", async () => {
    await shop.json(["prune", "--model", "pos", "--sparsity", "0.1", "--output", "base.onnx"]);
    await shop.json(["export", "--model", "base.onnx", "--output", "base"]);
    const args = ["--task", "pos", "--train", "test.conllu", "--epochs", "1", "--output", "tuned"];
    await shop.json(["fine-tune", "--model", "base", ...args]);
    expect(await historyOf("tuned")).toMatchObject([
      { step: "prune", inputSha256: input },
      { step: "export", inputSha256: await sha256("base.onnx") },
      {
        step: "fine-tune",
        options: { task: "pos", epochs: 1 },
        inputSha256: await sha256("base/onnx/model.onnx"),
        data: { train: text },
      },
    ]);
  });

  test("distill names its teachers", async () => {
    const data = ["--train", "test.conllu", "--validation", "test.conllu", "--epochs", "1"];
    const args = ["--teacher", "pos", "--student", "cnn", "--output", "student.onnx"];
    await shop.json(["distill", ...args, ...data]);
    const [step] = await historyOf("student.onnx");
    expect(step).toMatchObject({
      step: "distill",
      options: { student: "cnn" },
      data: { teacher: [input], train: text, validation: text },
    });
  });

  test("a model that nothing was recorded in says so", async () => {
    expect(await historyOf("old.onnx")).toEqual([]);
    expect((await shop.nasty(["inspect", "--model", "old.onnx"])).stdout).toContain("History: not recorded");
  });
});

test("compressing leaves the model's own bytes as they were", async () => {
  await shop.json(["quantize", "--model", "pos", "--output", "whole.onnx"]);
  await shop.json(["compress", "--model", "whole.onnx"]);
  const inside = gunzipSync(await shop.bytes("whole.onnx.gz"));
  expect(inside.equals(await shop.bytes("whole.onnx"))).toBe(true);
  expect(parseModel(inside).metadataProps.map(({ key }) => key)).toContain("nasty.history");
});
