import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelChunks, type ModelProto, tensorFromProto } from "@nasty/formats/onnx";
import { parseSafetensors, safetensorsChunks } from "@nasty/formats/safetensors";
import { openSession } from "@nasty/runtime";
import { buildEncoder, randomCheckpoint } from "@nasty/taggers/encoders";
import type { TrainingEvent } from "@nasty/training";
import { describe, expect, it } from "vitest";
import type { BaseModel } from "../../src/fine-tuning/base-model.js";
import { classScores } from "../../src/text-models/class-scores.js";
import {
  fineTuneClassifier,
  type FineTuneClassifierOptions,
} from "../../src/text-models/fine-tune-classifier.js";
import { makeTextFeeder } from "../../src/text-models/text-rows.js";
import { writeTextModel } from "../../src/text-models/write-text-model.js";
import { type ModelType, modelTypes, tinyCheckpoint } from "../encoders/tiny-checkpoint.js";
import { plantedPairs, plantedTexts, tinyBase } from "./planted.js";
import { memoryCheckpoint } from "../memory-checkpoint.js";

const options: FineTuneClassifierOptions = { epochs: 12, batchSize: 4, learningRate: 1e-2, seed: 3 };
const train = plantedTexts;

const temporary = (): Promise<string> => mkdtemp(join(tmpdir(), "text-models-"));

function weightOf(model: ModelProto, name: string): number[] {
  const proto = model.graph?.initializer.find((one) => one.name === name);
  if (proto === undefined) throw new Error(`no ${name}`);
  return Array.from(tensorFromProto(proto).data as Float32Array);
}

/** A bare encoder of a family in a directory, with the tokenizer of the planted texts. */
async function directoryOf(modelType: ModelType, weights: "safetensors" | "onnx" = "safetensors") {
  const directory = await temporary();
  const { tokenizerJson, tokenizerConfig, config: form } = tinyBase(train);
  const config = { ...tinyCheckpoint(modelType).config, vocab_size: form["vocab_size"] } as Record<
    string,
    unknown
  >;
  for (const key of ["id2label", "label2id"]) delete config[key];
  const tensors = randomCheckpoint(config, { seed: 5, deviation: 0.3 });
  const files = [
    ["config.json", config],
    ["tokenizer.json", tokenizerJson],
    ["tokenizer_config.json", tokenizerConfig],
  ] as const;
  for (const [name, json] of files) await writeFile(join(directory, name), JSON.stringify(json));
  if (weights === "safetensors") {
    await writeFile(join(directory, "model.safetensors"), [...safetensorsChunks(tensors)]);
  } else {
    await mkdir(join(directory, "onnx"));
    await writeFile(join(directory, "onnx/model.onnx"), [...modelChunks(buildEncoder(config, tensors))]);
  }
  return directory;
}

describe("a classifier of texts", () => {
  it.each(modelTypes)(
    "of %s learns a planted rule, and its directory gives the same scores again",
    async (type) => {
      const base = await directoryOf(type);
      const tuned = await fineTuneClassifier(base, { train, validation: train }, { ...options, dropout: 0 });
      expect(tuned.labels).toEqual(["cold", "warm"]);
      expect(tuned.scores).toEqual({ accuracy: 1, macroF1: 1 });
      expect(tuned.bestMetric).toBe(1);
      expect(tuned.model.graph?.node.some(({ opType }) => opType === "Dropout")).toBe(false);

      const out = join(base, "out");
      await writeTextModel(out, tuned);
      const config = JSON.parse(await readFile(join(out, "config.json"), "utf8")) as Record<string, unknown>;
      expect(config).toMatchObject({
        model_type: type,
        architectures: [expect.stringMatching(/^[A-Z]\w+ForSequenceClassification$/)],
        problem_type: "single_label_classification",
        id2label: { 0: "cold", 1: "warm" },
        label2id: { cold: 0, warm: 1 },
      });
      // What was written as safetensors computes what was written as ONNX, and what training ended with.
      const tensors = parseSafetensors(await readFile(join(out, "model.safetensors")));
      const feeder = makeTextFeeder(tuned.model, tuned.settings);
      const { feeds } = feeder.feed(train.slice(0, 3).map(({ text }) => feeder.encode(text, undefined)));
      const runs = [];
      for (const model of [
        tuned.model,
        join(out, "onnx/model.onnx"),
        buildEncoder(config, tensors, { head: "sequence" }),
      ]) {
        const session = await openSession(model);
        const { logits } = await session.run(feeds);
        expect(logits?.shape).toEqual([3, 2]);
        runs.push(logits?.data);
        await session.close();
      }
      expect(runs[1]).toEqual(runs[0]);
      expect(runs[2]).toEqual(runs[0]);
    },
  );

  it("learns what the second text of a pair tells", async () => {
    const base = tinyBase(plantedPairs);
    const data = { train: plantedPairs, validation: plantedPairs };
    const tuned = await fineTuneClassifier(base, data, options);
    expect(tuned.scores?.accuracy).toBe(1);
  });

  it("learns on an encoder from ONNX, and on a classifier of texts from ONNX", async () => {
    const base = await directoryOf("bert", "onnx");
    const tuned = await fineTuneClassifier(base, { train, validation: train }, { ...options, dropout: 0 });
    expect(tuned.scores?.accuracy).toBe(1);
    const { model, config, tokenizerJson, tokenizerConfig } = tuned;
    const again: BaseModel = { model, config, tokenizerJson, tokenizerConfig };
    const more = await fineTuneClassifier(again, { train, validation: train }, options);
    expect(more.scores?.accuracy).toBe(1);
    expect(more.tensors?.has("classifier.weight")).toBe(true);
  });

  it("starts from the pooler that is there, and goes on with a whole head of the same labels", async () => {
    const out = join(await temporary(), "first");
    const first = await fineTuneClassifier(tinyBase(train), { train }, { ...options, epochs: 2 });
    await writeTextModel(out, first);
    const still = { ...options, epochs: 1, learningRate: 1e-30, weightDecay: 0 };
    const heads = ["bert.pooler.dense.weight", "classifier.weight"] as const;
    const weights = (tuned: { readonly model: ModelProto }) =>
      heads.map((name) => weightOf(tuned.model, name));
    const kept = await fineTuneClassifier(out, { train }, still);
    expect(weights(kept)).toEqual(weights(first));
    const fresh = await fineTuneClassifier(out, { train }, { ...still, keepHead: false });
    expect(weights(fresh)[0]).toEqual(weights(first)[0]);
    expect(weights(fresh)[1]).not.toEqual(weights(first)[1]);
    const others = train.map((one) => ({ ...one, label: `very ${one.label}` }));
    expect((await fineTuneClassifier(out, { train: others }, still)).labels).toEqual([
      "very cold",
      "very warm",
    ]);
    await expect(fineTuneClassifier(out, { train: others }, { ...still, keepHead: true })).rejects.toThrow(
      "fineTune: keepHead: labels of the base: expected all of very cold, very warm, got cold, warm (without very cold, very warm)",
    );
    await expect(
      fineTuneClassifier(tinyBase(train), { train }, { ...still, keepHead: true }),
    ).rejects.toThrow("got no classifier of texts in model.safetensors");
  });

  it("goes on after an interruption to the same weights, and refuses the checkpoint of other data", async () => {
    const short = { ...options, epochs: 3 };
    const run = (more: object, texts = train) =>
      fineTuneClassifier(tinyBase(texts, 0.1), { train: texts }, { ...short, ...more });
    const whole = await run({});
    const checkpoint = memoryCheckpoint();
    const stop = new AbortController();
    const onEvent = (event: TrainingEvent): void => {
      if (event.event === "checkpoint" && event.step >= 8) stop.abort();
    };
    const resumable = { checkpoint, checkpointEvery: 2 };
    expect((await run({ ...resumable, signal: stop.signal, onEvent })).stopped).toBe("interrupted");
    await expect(run(resumable, train.toReversed())).rejects.toMatchObject({ code: "checkpoint-mismatch" });
    const second = await run(resumable);
    expect(second.stopped).toBe("finished");
    expect(weightOf(second.model, "classifier.weight")).toEqual(weightOf(whole.model, "classifier.weight"));
  });

  it("stops when validation no longer rises", async () => {
    const wrong = train.map((one) => ({ ...one, label: one.label === "cold" ? "warm" : "cold" }));
    const tuned = await fineTuneClassifier(
      tinyBase(train),
      { train, validation: wrong },
      { ...options, epochs: 30, patience: 2 },
    );
    expect(tuned.stopped).toBe("patience");
    expect(tuned.history.length).toBeLessThan(30);
  });

  it("is trained for quantization, and scored as what it will compute", async () => {
    const base = await directoryOf("bert");
    const tuned = await fineTuneClassifier(
      base,
      { train, validation: train },
      { ...options, dropout: 0, quantizationAware: true, qatOptions: { minimumElements: 1 } },
    );
    expect(tuned.qat?.weights.map(({ name }) => name)).toContain("classifier.weight");
    expect(tuned.scores?.accuracy).toBe(1);
  });
});

describe("what a classifier of texts cannot be trained with", () => {
  it.each([
    ["no text", [], "empty", "fineTune: train: texts: expected at least 1, got 0"],
    ["one label", train.slice(0, 1), "labels", "fineTune: train: labels: expected at least 2, got 1 (warm)"],
    [
      "a pair among single texts",
      [...train, { text: "a", pair: "b", label: "warm", place: "line 30" }],
      "misaligned",
      "fineTune: train: line 30: expected one text as in the first of training, got a pair",
    ],
    [
      "a label with a line break",
      [...train, { text: "a", label: "a\nb" }],
      "labels",
      "expected text without control characters",
    ],
  ])("%s", async (_, texts, code, message) => {
    await expect(fineTuneClassifier(tinyBase(train), { train: texts }, options)).rejects.toMatchObject({
      name: "TaggerError",
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  it("a label that only validation has", async () => {
    const validation = [{ text: "a", label: "mild", place: "line 4" }];
    await expect(fineTuneClassifier(tinyBase(train), { train, validation }, options)).rejects.toMatchObject({
      code: "unknown-label",
      message:
        'fineTune: validation: line 4: label: expected one of those in training (cold, warm), got "mild"',
    });
  });
});

it("pairs to validate what learned single texts with", async () => {
  const data = { train, validation: plantedPairs };
  await expect(fineTuneClassifier(tinyBase(train), data, options)).rejects.toThrow(
    "fineTune: validation: text 1: expected one text as in the first of training, got a pair",
  );
});

describe("scores of classes", () => {
  it("are those of the definitions", () => {
    // Label 0: 2 right of 3 gold and 3 predicted; label 1: 1 of 2 and 2; label 2: never right.
    const { accuracy, macroF1 } = classScores([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0]);
    expect(accuracy).toBe(0.5);
    expect(macroF1).toBeCloseTo((4 / 7 + 2 / 4 + 0) / 3, 12);
  });
});
