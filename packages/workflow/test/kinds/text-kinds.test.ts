import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare } from "../../src/comparison/compare.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { benchmark } from "../../src/measurement/benchmark.js";
import { openModel } from "../../src/models/model.js";
import { quantize } from "../../src/quantization/quantize.js";
import { writeVoice } from "../tiny-graph.js";
import { jsonLines, topics, topicTexts, writeTextDirectory } from "../tiny-texts.js";

let folder: string;
let remove: () => Promise<void>;
const path = (...parts: string[]): string => join(folder, ...parts);
const texts = topicTexts(60);

beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-kinds-test"));
  await writeTextDirectory(path("topics"), "classifier");
  await writeTextDirectory(path("encoder"), "encoder");
  await writeTextDirectory(path("fragile"), "encoder", { fragile: true });
  await writeTextDirectory(path("broken"), "encoder", { factor: 2 });
  // The labels are what the float model says, one by one (it sees padding): it is right throughout.
  await using model = await openModel(path("topics"));
  const labelled: { text: string; label: string }[] = [];
  for await (const { label } of model.classify(texts, { batchSize: 1 }))
    labelled.push({ text: texts[labelled.length]!.text, label });
  await writeFile(path("topics.jsonl"), jsonLines(labelled));
  await writeFile(path("topics.tsv"), labelled.map(({ text, label }) => `${text}\t${label}\n`).join(""));
  await writeFile(path("texts.txt"), texts.map(({ text }) => `${text}\n\n`).join(""));
});
afterAll(() => remove());

describe("a classifier of texts", () => {
  test("an open model says what it is and classifies", async () => {
    await using model = await openModel(path("topics"));
    expect(model.kind).toBe("sequence-classification");
    const said: string[] = [];
    for await (const { label, score, scores } of model.classify([
      "Paris Lyon",
      { text: "Ada", pair: "cat" },
    ])) {
      said.push(label);
      expect(score).toBe(Math.max(...scores.map((one) => one.score)));
      expect(scores.reduce((sum, one) => sum + one.score, 0)).toBeCloseTo(1, 6);
    }
    expect(said).toHaveLength(2);
    expect(topics).toContain(said[0]);
    await expect(model.embed("cat").next()).rejects.toThrow(
      /kind: expected feature-extraction, got sequence-classification/,
    );
  });

  test("is measured on labelled JSON Lines and columns alike", async () => {
    const result = await evaluate(path("topics"), { on: path("topics.jsonl") });
    expect(result).toMatchObject({
      kind: "sequence-classification",
      metric: "accuracy",
      value: 1,
      macroF1: 1,
      sentences: texts.length,
      task: null,
      tokens: null,
    });
    expect(result.perLabel.reduce((sum, { support }) => sum + support, 0)).toBe(texts.length);
    const columns = await evaluate(path("topics"), { on: path("topics.tsv") });
    expect(columns.value).toBe(1);
    await writeFile(path("wrong.jsonl"), jsonLines([{ text: "cat", label: "weather" }]));
    await expect(evaluate(path("topics"), { on: path("wrong.jsonl") })).rejects.toThrow(
      /wrong\.jsonl: line 1: label: expected one of place, person, other \(the model's labels\), got "weather"/,
    );
    await expect(evaluate(path("topics"), { on: path("texts.txt") })).rejects.toThrow(
      /texts\.txt: labels: expected the right answers, got none/,
    );
  });

  test.each(["static", "dynamic", "int4", "weight-only"] as const)(
    "%s: calibrated, gated on labels, and its file carries all that it needs",
    async (mode) => {
      const output = path(`topics_${mode}.onnx`);
      const isStatic = mode === "static";
      const result = await quantize(path("topics"), {
        mode,
        ...(isStatic && { calibration: path("texts.txt") }),
        gate: { on: path("topics.jsonl"), maxLoss: 0.1 },
        output,
      });
      expect(result.passed).toBe(true);
      expect(result.gate).toMatchObject({ metric: "accuracy", original: 1, labelling: null });
      expect(result.gate?.agreement?.top1).toBeGreaterThanOrEqual(0.9);
      await using model = await openModel(output);
      expect(model.kind).toBe("sequence-classification");
      expect((await evaluate(output, { on: path("topics.jsonl") })).value).toBe(result.gate?.quantized);
    },
  );

  test("without labels the agreement with the original is judged", async () => {
    const result = await quantize(path("topics"), {
      gate: { on: path("texts.txt"), maxDrift: 0.05 },
      output: path("agreeing.onnx"),
    });
    expect(result.gate).toMatchObject({
      metric: "agreement",
      agreementOf: "labels kept",
      original: 1,
      target: 0.05,
    });
    await expect(
      quantize(path("topics"), { gate: { maxDrift: 0.1, maxLoss: 0.1, on: path("topics.jsonl") } }),
    ).rejects.toThrow(/--max-drift: expected no --target-accuracy-loss beside it/);
    await expect(
      quantize(path("topics"), { gate: { on: path("texts.txt"), maxLoss: 0.1 }, output: path("no.onnx") }),
    ).rejects.toThrow(
      /labels: expected the right answers, got none; give a file with labels, or --max-drift/,
    );
  });

  test("two forms side by side, with flips and agreement", async () => {
    const int8 = await quantize(path("topics"), { output: path("side.onnx") });
    const pair = await compare([path("topics"), int8], {
      on: path("topics.jsonl"),
      flips: path("flips.tsv"),
    });
    expect(pair).toMatchObject({
      kind: "sequence-classification",
      examples: texts.length,
      original: { metric: "accuracy", value: 1 },
      batchMates: null,
    });
    expect(pair.summary.agreement?.outputs?.[0]?.cosine).toBeGreaterThan(0.9);
    expect(pair.summary.flips).toBe(Math.round((1 - (pair.summary.agreement?.top1 ?? 0)) * texts.length));
    const timed = await benchmark([path("topics"), int8], {
      on: path("texts.txt"),
      samples: 8,
      environment: "development",
    });
    expect(timed).toMatchObject({
      sentences: 8,
      words: null,
      models: [{ kind: "sequence-classification" }, {}],
    });
    expect(timed.models[1]!.msPerSentence.p50).toBeGreaterThan(0);
  });

  test("each weight's loss is measured on labels", async () => {
    const { sensitivity } = await quantize.plan(path("topics"), {
      sensitivity: true,
      gate: { on: path("topics.jsonl") },
    });
    expect(sensitivity?.length).toBeGreaterThan(2);
    expect(sensitivity?.every(({ loss }) => loss !== null)).toBe(true);
  });
});

describe("an encoder of texts", () => {
  test("makes vectors by the pooling of its directory", async () => {
    await writeTextDirectory(path("pooled"), "encoder");
    const modules = ["Transformer", "Pooling", "Normalize"].map((name, i) => ({
      idx: i,
      name: String(i),
      path: i === 0 ? "" : `${i}_${name}`,
      type: `sentence_transformers.models.${name}`,
    }));
    await writeFile(path("pooled", "modules.json"), JSON.stringify(modules));
    const { mkdir } = await import("node:fs/promises");
    await mkdir(path("pooled", "1_Pooling"));
    const pooling = {
      word_embedding_dimension: 32,
      pooling_mode_cls_token: true,
      pooling_mode_mean_tokens: false,
    };
    await writeFile(path("pooled", "1_Pooling", "config.json"), JSON.stringify(pooling));
    const vectorOf = async (directory: string): Promise<Float32Array> => {
      await using model = await openModel(directory);
      for await (const vector of model.embed("Paris cat")) return vector;
      throw new Error("no vector");
    };
    const [mean, cls] = [await vectorOf(path("encoder")), await vectorOf(path("pooled"))];
    expect(mean).toHaveLength(32);
    const length = (vector: Float32Array): number => Math.hypot(...vector);
    expect(length(cls)).toBeCloseTo(1, 5);
    expect(length(mean)).not.toBeCloseTo(1, 1);
    expect(Math.max(...cls.map((x, i) => Math.abs(x - (mean[i] ?? 0) / length(mean))))).toBeGreaterThan(0.01);
  });

  test("is judged by its neighbours even where nobody asked, and the fallback mends what loses them", async () => {
    const sound = await quantize(path("encoder"), { output: path("encoder_int8.onnx") });
    expect(sound.gate).toMatchObject({
      metric: "agreement",
      agreementOf: "recall@10",
      target: 0.02,
      passed: true,
    });
    const mended = await quantize(path("fragile"), { output: path("mended.onnx") });
    expect(mended.gate?.keptInFloat.length).toBeGreaterThan(0);
    expect(mended.gate?.agreement?.recallAt10).toBeGreaterThanOrEqual(0.98);
    const refused = await quantize(path("fragile"), {
      output: path("refused.onnx"),
      gate: { maxDrift: 0.02, fallback: false },
    });
    expect(refused).toMatchObject({ passed: false, output: null });
    expect(await readdir(folder)).not.toContain("refused.onnx");
  });

  test("pairs with scores are measured by Spearman's correlation", async () => {
    const scored = texts.slice(0, 20).map(({ text }, i) => ({
      text,
      text_pair: texts[(i * 3) % texts.length]!.text,
      score: i % 6,
    }));
    await writeFile(path("pairs.jsonl"), jsonLines(scored));
    const result = await evaluate(path("encoder"), { on: path("pairs.jsonl") });
    expect(result).toMatchObject({ kind: "feature-extraction", metric: "spearman" });
    expect(Math.abs(result.value)).toBeLessThanOrEqual(1);
    const pair = await compare([path("encoder"), path("encoder_int8.onnx")], { on: path("pairs.jsonl") });
    expect(pair.original).toMatchObject({ metric: "spearman", value: result.value });
    expect(pair.summary.agreement?.cosineMean).toBeGreaterThan(0.9);
  });

  test("a file with one layer's weights doubled is refused without text or labels, and the layer named", async () => {
    const planted = await quantize(path("broken"), {
      output: path("planted.onnx"),
      minCosine: -1,
      gate: { maxDrift: 1 },
    });
    await expect(compare([path("encoder"), planted], { maxDrift: 0.02 })).rejects.toThrow(
      /planted\.onnx: layer \/encoder\/MatMul \(MatMul\): expected values of the original's size, got [12]\.\d+ times/,
    );
  });
});

test("any directory with a tokenizer takes plain text, and its graph inputs: the outputs are judged", async () => {
  await writeTextDirectory(path("masked"), "encoder", { config: { architectures: ["BertForMaskedLM"] } });
  const calibrated = await quantize(path("masked"), {
    calibration: path("texts.txt"),
    gate: { maxDrift: 0.02 },
    output: path("masked_int8.onnx"),
  });
  expect(calibrated.gate).toMatchObject({ metric: "agreement", agreementOf: "cosine", passed: true });
  expect(calibrated.gate?.agreement?.outputs?.map(({ name }) => name)).toEqual(["last_hidden_state"]);
  // The file carries its tokenizer.
  const pair = await compare([path("masked"), calibrated], { on: path("topics.jsonl") });
  expect(pair).toMatchObject({ kind: "graph", examples: texts.length, original: { metric: "agreement" } });
  const ids = [
    { input_ids: [[2, 8, 3]], attention_mask: [[1, 1, 1]] },
    { input_ids: [[2, 9, 12, 3]], attention_mask: [[1, 1, 1, 1]] },
  ];
  await writeFile(path("ids.jsonl"), jsonLines(ids));
  for (const model of ["masked", "topics", "encoder"]) {
    const fed = await quantize.plan(path(model), { mode: "static", calibration: path("ids.jsonl") });
    expect(fed.plan.activations.length).toBeGreaterThan(0);
  }
});

test("a model that takes more than texts is a graph, whatever its class and tokenizer", async () => {
  await writeTextDirectory(path("decoder"), "encoder");
  await writeVoice(path("decoder", "onnx", "model.onnx"));
  await using model = await openModel(path("decoder"));
  expect(model.kind).toBe("graph");
  const written = await quantize(path("decoder"), { output: path("decoder_int8.onnx") });
  expect(written).toMatchObject({ passed: true, gate: null });
});
