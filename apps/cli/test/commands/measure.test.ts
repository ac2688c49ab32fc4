import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { columns, conllu, sentences } from "../tiny-corpus.js";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

describe.concurrent("nasty eval", () => {
  test("accuracy of a part-of-speech model", async () => {
    const result = await shop.json(["eval", "--model", "pos", "--test", "test.conllu"]);
    expect(result).toMatchObject({
      task: "pos",
      metric: "accuracy",
      value: 1,
      sentences: 8,
      tokens: 53,
      msPerSentence: expect.any(Number),
      tokensPerSecond: expect.any(Number),
      modelBytes: (await shop.bytes("pos/onnx/model.onnx")).length,
    });
    expect(result).not.toHaveProperty("precision");
    expect(result.perLabel.find(({ label }: Json) => label === "PUNCT")).toMatchObject({ f1: 1, support: 9 });
  });

  test("F1 of an entity model, from columns and from MISC, with precision and recall", async () => {
    const expected = { task: "ner", metric: "f1", value: 1, precision: 1, recall: 1 };
    expect(await shop.json(["eval", "--model", "ner", "--test", "test.iob2"])).toMatchObject(expected);
    expect(await shop.json(["eval", "--model", "ner", "--test", "test.conllu"])).toMatchObject(expected);
  });

  test("wrong gold labels cost accuracy", async () => {
    await shop.write("half.conllu", conllu().replaceAll("\tNOUN\t", "\tVERB\t"));
    const { value } = await shop.json(["eval", "--model", "pos", "--test", "half.conllu"]);
    expect(value).toBeCloseTo(1 - 7 / 53, 12);
  });

  test("standard input; CoNLL-2003 columns where the labels fit", async () => {
    const input = await shop.bytes("test.conllu");
    expect((await shop.json(["eval", "--model", "pos", "--test", "-"], { input })).value).toBe(1);
    await shop.write("pos.conll", columns("upos"));
    expect((await shop.json(["eval", "--model", "pos", "--test", "pos.conll"])).value).toBe(1);
    const rows = columns().replaceAll(/^(\S+)\t(\S+)$/gm, "$1 NN I-NP $2");
    await shop.write("conll2003.conll", `-DOCSTART- -X- -X- O\n\n${rows}`);
    const result = await shop.json(["eval", "--model", "ner", "--test", "conll2003.conll"]);
    expect(result).toMatchObject({ metric: "f1", value: 1, sentences: 8 });
  });

  test("for people: figures first, then a row a label", async () => {
    const { stdout } = await shop.nasty(["eval", "--model", "ner", "--test", "test.iob2"]);
    expect(stdout).toMatch(
      /^F1: 100\.00% {2}\(precision 100\.00%, recall 100\.00%\)\n8 sentences, 53 words\n/,
    );
    expect(stdout).toMatch(/label +precision +recall +F1 +gold +predicted\nLOC +100\.00%/);
  });
});

describe.concurrent("nasty score", () => {
  const score = (gold: string, system: string, ...args: string[]) =>
    shop.json(["score", "--gold", gold, "--system", system, ...args]);

  test("entities: a missed one costs recall, an invented one precision", async () => {
    await shop.write(
      "system.iob2",
      columns("entity", sentences, (word, label) =>
        word === "Lyon" ? "O" : word === "two" || word === "three" ? "B-ORG" : label,
      ),
    );
    // Gold: Ada Lovelace, Paris twice, Lyon, Acme; found all but Lyon, and two that are none.
    const result = await score("test.iob2", "system.iob2");
    expect(result).toMatchObject({ task: "ner", metric: "f1", precision: 4 / 6, recall: 4 / 5, tokens: 53 });
    expect(result.value).toBeCloseTo((2 * (4 / 6) * (4 / 5)) / (4 / 6 + 4 / 5), 12);
    expect(result.perLabel.map(({ label }: Json) => label)).toEqual(["LOC", "ORG", "PER"]);
  });

  test("CoNLL-U is judged by UPOS unless --task says ner; standard input works for either file", async () => {
    await shop.write("wrong.conllu", conllu().replace("\tDET\t", "\tNOUN\t"));
    expect(await score("test.conllu", "wrong.conllu")).toMatchObject({ task: "pos", value: 52 / 53 });
    expect(await score("test.conllu", "wrong.conllu", "--task", "ner")).toMatchObject({
      task: "ner",
      value: 1,
    });
    const input = await shop.bytes("test.conllu");
    const piped = await shop.json(["score", "--gold", "-", "--system", "wrong.conllu"], { input });
    expect(piped).toMatchObject({ task: "pos", value: 52 / 53 });
  });
});

describe.concurrent("nasty quantize estimate", () => {
  test("agrees with the bytes that are written later to one percent", async () => {
    const result = await shop.json(["quantize", "estimate", "--model", "pos"]);
    const written = await shop.json(["quantize", "--model", "pos", "--output", "written.onnx"]);
    const { float32, int8, int4 } = result.sizes;
    expect(float32.bytes).toBe((await shop.bytes("pos/onnx/model.onnx")).length);
    expect(Math.abs(int8.bytes / written.output.bytes - 1)).toBeLessThan(0.01);
    expect(int8.ratio).toBeCloseTo(float32.bytes / int8.bytes, 12);
    expect(int4.bytes).toBeLessThan(int8.bytes);
    // 35 × 64 embedding, 64 × 64 encoder, 64 × 16 classifier, 16 biases.
    expect(result.parameters).toBe(35 * 64 + 64 * 64 + 64 * 16 + 16);
    expect(result.memory.int8.bytes).toBeLessThan(result.memory.float32.bytes);
  });

  test.each([
    ["static", ["--calibration", "test.conllu"]],
    ["int4", ["--mode", "int4"]],
    ["weightOnly", ["--mode", "weight-only"]],
  ] as const)("and so for %s", async (key, options) => {
    const { sizes } = await shop.json(["quantize", "estimate", "--model", "pos"]);
    const { output } = await shop.json([
      "quantize",
      "--model",
      "pos",
      "--output",
      `estimated-${key}.onnx`,
      ...options,
    ]);
    expect(Math.abs(sizes[key].bytes / output.bytes - 1)).toBeLessThan(0.01);
    expect(sizes[key].ratio).toBeCloseTo(sizes.float32.bytes / sizes[key].bytes, 12);
  });

  test("the layout for people is the guide's", async () => {
    const { stdout, stderr } = await shop.nasty(["quantize", "estimate", "--model", "pos"]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      new RegExp(
        [
          "^Model: pos",
          "Parameters: [\\d,]+\n",
          "Estimated sizes:",
          " {2}Float32 \\(current\\): [\\d.]+ kB",
          " {2}INT8: [\\d.]+ kB \\([\\d.]+x smaller\\)",
          " {2}INT4: [\\d.]+ kB \\([\\d.]+x smaller.*\\)\n",
          "Memory usage:",
          " {2}Float32: ~[\\d.]+ MB \\(with activations\\)",
          " {2}INT8: ~[\\d.]+ MB \\(\\d+% reduction\\)\n",
          "Other modes:",
          " {2}static INT8: [\\d.]+ kB \\([\\d.]+x smaller\\)",
          " {2}8-bit weights only: [\\d.]+ kB \\([\\d.]+x smaller\\)\n",
        ].join("\n"),
      ),
    );
  });
});

describe.concurrent("nasty inspect", () => {
  test("--devices says which form of a model to ship to this machine", async () => {
    expect((await shop.json(["inspect", "--model", "pos"])).deployment).toBeNull();
    const { deployment } = await shop.json(["inspect", "--model", "pos", "--devices"]);
    expect(deployment.devices).toContain("cpu");
    expect(deployment).toMatchObject(
      deployment.device === "cpu" ? { precision: "int8" } : { precision: "float" },
    );
    const { stdout } = await shop.nasty(["inspect", "--model", "pos", "--devices"]);
    expect(stdout).toMatch(/devices here: cpu.*; ship the (?:INT8|float32) model to \w+/);
  });

  test("operators, weights, labels and how the model was made", async () => {
    await shop.json(["quantize", "--model", "pos", "--output", "seen.onnx"]);
    const plain = await shop.json(["inspect", "--model", "pos"]);
    expect(plain).toMatchObject({ opsets: { "ai.onnx": 17 }, tagger: { task: "pos" }, history: [] });
    const result = await shop.json(["inspect", "--model", "seen.onnx"]);
    expect(result.history).toMatchObject([{ step: "quantize", options: { mode: "dynamic" } }]);
    expect(result.history[0].inputSha256).toBe(plain.sha256);
    expect(result.metadata).toContain("nasty.tagger");
    expect(result.tagger.labels).toContain("NOUN");
    const { stdout } = await shop.nasty(["inspect", "--model", "seen.onnx"]);
    expect(stdout).toMatch(/int8 +3 /);
    expect(stdout).toContain("1. quantize");
  });
});
