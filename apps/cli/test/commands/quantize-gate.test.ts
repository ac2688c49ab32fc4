import { readdir, stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeTinyDirectory } from "../tiny-tagger.js";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeTinyDirectory(shop.path("fragile"), { fragile: true });
});
afterAll(() => shop.remove());

describe("the accuracy gate", () => {
  const gated = (target: string, ...args: string[]) => [
    ..."quantize --output gated.onnx --validation test.conllu --target-accuracy-loss".split(" "),
    target,
    ...args,
  ];
  const fragile = () => gated("0.01", "--model", "fragile", "--no-fallback");
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
      unfinished: null,
    });
    expect(output.path).toBe(shop.path("gated.onnx"));
  });

  test("refuses a model that lost: exit code 4, the figures, the old output untouched", async () => {
    await shop.write("gated.onnx", "an older file");
    const message = await shop.refused(4, fragile());
    expect(message).toMatch(
      /at most 1\.00 points of accuracy, got \d\d\.\d\d \(100\.00 -> \d+\.\d\d, 95% interval of the loss \d+\.\d\d to \d+\.\d\d, \d+ labels changed\)/,
    );
    expect(message).not.toContain(".gated.onnx.");
    expect((await shop.bytes("gated.onnx")).toString()).toBe("an older file");
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

  test("the best model is written again if a worse one was tried after it", async () => {
    const args = gated("0.01", "--model", "fragile").map((arg) =>
      arg === "gated.onnx" ? "again.onnx" : arg,
    );
    expect((await shop.nasty([...args, "--time-budget", "0"])).code).toBe(4);
    const record = JSON.parse((await shop.bytes("again.onnx.gate.json")).toString());
    // As if two weights in float had passed: one is left to try, and the first of this ranking does not do.
    record.state.ranking = ["encoder.weight", "embedding.weight", "classifier.weight"];
    record.state.attempts.push({ kept: 2, value: 1 });
    await shop.write("again.onnx.gate.json", JSON.stringify(record));
    const result = await shop.json([...args, "--time-budget", "600"]);
    expect(result.gate).toMatchObject({
      passed: true,
      quantized: 1,
      attempts: 3,
      keptInFloat: ["encoder.weight", "embedding.weight"],
    });
    expect(result.tensors.map(({ name }: Json) => name)).toEqual(["classifier.weight"]);
    const { value } = await shop.json(["eval", "--model", "again.onnx", "--test", "test.conllu"]);
    expect(value).toBe(1);
  });

  test("a search for another loss of the original is not gone on with", async () => {
    const args = gated("0.01", "--model", "fragile").map((arg) =>
      arg === "gated.onnx" ? "other.onnx" : arg,
    );
    expect((await shop.nasty([...args, "--time-budget", "0"])).code).toBe(4);
    const record = JSON.parse((await shop.bytes("other.onnx.gate.json")).toString());
    record.state.original = 0.5;
    record.state.attempts = [{ kept: 0, value: 1 }];
    await shop.write("other.onnx.gate.json", JSON.stringify(record));
    const { gate } = await shop.json([...args, "--time-budget", "600"]);
    expect(gate).toMatchObject({ original: 1, attempts: 2, keptInFloat: ["embedding.weight"] });
  });

  test("validation from standard input is read once for both models", async () => {
    const args = ["quantize", "--model", "pos", "--target-accuracy-loss", "0.01", "--validation", "-"];
    const result = await shop.json(args, { input: await shop.bytes("test.conllu") });
    expect(result.gate.passed).toBe(true);
  });
});
