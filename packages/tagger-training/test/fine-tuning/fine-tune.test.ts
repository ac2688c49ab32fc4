import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tensorFromProto } from "@nasty/formats/onnx";
import { parseSafetensors } from "@nasty/formats/safetensors";
import { openSession } from "@nasty/runtime";
import { evaluate } from "@nasty/taggers";
import { buildEncoder } from "@nasty/taggers/encoders";
import { openTagger } from "@nasty/taggers/node";
import type { TrainingEvent } from "@nasty/training";
import { describe, expect, it } from "vitest";
import { fineTune, type FineTuneOptions } from "../../src/fine-tuning/fine-tune.js";
import { writeFineTuned } from "../../src/fine-tuning/write-fine-tuned.js";
import { toyDirectory, toyEntities, toySentences } from "./toy.js";
import { memoryCheckpoint } from "../memory-checkpoint.js";

const options: FineTuneOptions = { epochs: 30, batchSize: 2, learningRate: 2e-2, dropout: 0, seed: 4 };
const data = { train: toySentences };

function weightsOf(model: Parameters<typeof openSession>[0] & object): Map<string, number[]> {
  if (!("graph" in model)) throw new Error("expected a model");
  return new Map(
    (model.graph?.initializer ?? [])
      .filter(({ dataType }) => dataType === 1)
      .map((proto) => [proto.name, Array.from(tensorFromProto(proto).data as Float32Array)]),
  );
}

describe("fine-tuning", () => {
  it("learns from safetensors and writes a directory that opens as a tagger", async () => {
    const base = await toyDirectory();
    const tuned = await fineTune(
      base,
      { train: toySentences, validation: toySentences.slice(0, 4) },
      "pos_tagging",
      options,
    );
    expect(tuned.bestMetric).toBe(1);
    expect(tuned.settings.labels).toEqual(["DET", "NOUN", "VERB"]);
    expect(tuned.model.graph?.node.some(({ opType }) => opType === "Dropout")).toBe(false);
    const out = join(base, "out");
    const written = await writeFineTuned(out, tuned);
    expect([...written.keys()]).toEqual([
      "model.safetensors",
      "onnx/model.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
      "config.json",
    ]);
    const config = JSON.parse(await readFile(join(out, "config.json"), "utf8")) as Record<string, unknown>;
    expect(config).toMatchObject({
      model_type: "bert",
      architectures: ["BertForTokenClassification"],
      id2label: { 0: "DET", 1: "NOUN", 2: "VERB" },
      label2id: { DET: 0, NOUN: 1, VERB: 2 },
    });
    const tagger = await openTagger(out);
    expect((await evaluate(tagger, toySentences.slice(0, 4))).value).toBe(1);
    await tagger.close();

    // What was written as safetensors computes what was written as ONNX.
    const tensors = parseSafetensors(await readFile(join(out, "model.safetensors")));
    expect([...tensors.keys()].every((name) => /^(bert|classifier)\./.test(name))).toBe(true);
    const feeds = Object.fromEntries(
      [
        ["input_ids", [2n, 5n, 3n]],
        ["attention_mask", [1n, 1n, 1n]],
        ["token_type_ids", [0n, 0n, 0n]],
      ].map(([name, ids]) => [
        name,
        { dtype: "int64", shape: [1, 3], data: BigInt64Array.from(ids as bigint[]) },
      ]),
    );
    const runs = [];
    for (const model of [join(out, "onnx/model.onnx"), buildEncoder(config, tensors)]) {
      const session = await openSession(model);
      runs.push((await session.run(feeds as never))["logits"]?.data);
      await session.close();
    }
    expect(runs[0]).toEqual(runs[1]);
  });

  it("learns entities in any scheme, from an ONNX graph", async () => {
    const base = await toyDirectory("onnx", "electra");
    const tuned = await fineTune(base, { train: toyEntities, validation: toyEntities }, "ner", options);
    expect(tuned.settings.labels).toEqual(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]);
    expect(tuned.bestMetric).toBe(1);
  });

  it("gives the same weights for the same seed, others for another", async () => {
    const base = await toyDirectory();
    const short = { ...options, epochs: 2, dropout: 0.1 };
    const run = async (seed: number) =>
      weightsOf((await fineTune(base, data, "pos", { ...short, seed })).model);
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a).toEqual(b);
    expect(a.get("classifier.weight")).not.toEqual(c.get("classifier.weight"));
  });

  it("goes on after an interruption as if there had been none", async () => {
    const base = await toyDirectory();
    const short = { ...options, epochs: 3, dropout: 0.1 };
    const whole = weightsOf((await fineTune(base, data, "pos", short)).model);
    const checkpoint = memoryCheckpoint();
    const stop = new AbortController();
    const onEvent = (event: TrainingEvent): void => {
      if (event.event === "checkpoint" && event.step >= 4) stop.abort();
    };
    const resumable = { ...short, checkpoint, checkpointEvery: 2 };
    const first = await fineTune(base, data, "pos", { ...resumable, signal: stop.signal, onEvent });
    expect(first.stopped).toBe("interrupted");
    const second = await fineTune(base, data, "pos", resumable);
    expect(second.stopped).toBe("finished");
    expect(weightsOf(second.model)).toEqual(whole);
    await expect(fineTune(base, data, "pos", { ...resumable, learningRate: 1 })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
    });
  });

  it("leaves frozen weights as they are, and learns lower layers more slowly", async () => {
    const base = await toyDirectory();
    const short = { ...options, epochs: 1 };
    const tuned = await fineTune(base, data, "pos", { ...short, freeze: { embeddings: true, layers: 1 } });
    const still = await fineTune(base, data, "pos", { ...short, learningRate: 1e-30, weightDecay: 0 });
    const [before, after] = [weightsOf(still.model), weightsOf(tuned.model)];
    for (const [name, values] of before) {
      const frozen = /embeddings|layer\.0\.|^constant/.test(name) || values.length === 1;
      if (frozen) expect(after.get(name), name).toEqual(values);
    }
    const moved = "bert.encoder.layer.1.output.dense.weight";
    expect(after.get(moved)).not.toEqual(before.get(moved));

    const slow = weightsOf((await fineTune(base, data, "pos", { ...short, layerDecay: 0.1 })).model);
    const change = (name: string): number =>
      Math.max(
        ...(before.get(name) as number[]).map((value, i) =>
          Math.abs(value - (slow.get(name)?.[i] as number)),
        ),
      );
    const layer = (i: number): number => change(`bert.encoder.layer.${i}.output.dense.weight`);
    expect(change("classifier.weight")).toBeGreaterThan(3 * layer(1));
    expect(layer(1)).toBeGreaterThan(3 * layer(0));
  });

  it("takes a sentence longer than the model in windows", async () => {
    const base = await toyDirectory();
    const long = { words: Array<string>(100).fill("dog"), labels: Array<string>(100).fill("NOUN") };
    const events: TrainingEvent[] = [];
    const onEvent = (event: TrainingEvent): void => void events.push(event);
    await fineTune(base, { train: [long] }, "pos", { ...options, epochs: 1, batchSize: 1, onEvent });
    const stop = events.at(-1);
    expect(stop?.event === "stop" && stop.step).toBeGreaterThan(2);
  });
});

describe("what cannot be fine-tuned with", () => {
  it.each([
    [
      "no training sentence",
      { train: [] },
      "empty",
      "fineTune: train: labelled words: expected at least 1, got 0 in 0 sentences",
    ],
    ["no label", { train: [{ words: ["a"], labels: ["_"] }] }, "empty", "got 0 in 1 sentences"],
    [
      "one label too few",
      { train: [{ words: ["a", "b"], labels: ["X"] }] },
      "misaligned",
      "sentence 1 word 1: labels: expected 2 (one a word), got 1",
    ],
    [
      "a label that only validation has",
      { ...data, validation: [{ words: ["a"], labels: ["ADV"], line: 7 }] },
      "unknown-label",
      'fineTune: validation: line 7: label of "a": expected one of those in training (DET, NOUN, VERB), got "ADV"',
    ],
  ])("%s", async (_, given, code, message) => {
    const base = await toyDirectory();
    await expect(fineTune(base, given, "pos", options)).rejects.toMatchObject({
      name: "TaggerError",
      kind: "input",
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  it("labels that are no chunks", async () => {
    await expect(fineTune("nowhere", data, "ner")).rejects.toMatchObject({ code: "labels" });
  });

  it.each<[FineTuneOptions, string]>([
    [{ batchSize: 0 }, "batchSize: expected a positive integer, got 0"],
    [{ warmUp: 1 }, "warmUp: expected a number in [0, 1), got 1"],
    [{ layerDecay: 0 }, "layerDecay: expected a factor in (0, 1], got 0"],
    [{ freeze: { layers: 3 } }, "freeze: layers: expected 0 to 2, got 3"],
  ])("%o", async (change, message) => {
    const base = await toyDirectory();
    await expect(fineTune(base, data, "pos", { ...options, ...change })).rejects.toMatchObject({
      code: "option",
      message: expect.stringContaining(message) as string,
    });
  });

  it("a directory without weights", async () => {
    const base = await toyDirectory("none");
    await expect(fineTune(base, data, "pos")).rejects.toMatchObject({ code: "not-found" });
  });
});
