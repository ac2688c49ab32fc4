import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensorFromProto } from "@nasty/formats/onnx";
import { withWeights } from "@nasty/training";
import { beforeAll, describe, expect, it } from "vitest";
import type { BaseModel } from "../../src/fine-tuning/base-model.js";
import { fineTune, type FineTuned, type FineTuneOptions } from "../../src/fine-tuning/fine-tune.js";
import { writeFineTuned } from "../../src/fine-tuning/write-fine-tuned.js";
import { toyDirectory, toySentences } from "./toy.js";

const train = toySentences;
/** Steps that change nothing, so that what the training started from can be seen. */
const still: FineTuneOptions = { epochs: 1, batchSize: 8, learningRate: 1e-30, weightDecay: 0, dropout: 0 };

const weightOf = (model: FineTuned["model"], name: string): ArrayLike<number | bigint> => {
  const proto = model.graph?.initializer.find((initializer) => initializer.name === name);
  if (proto === undefined) throw new Error(`no ${name}`);
  return tensorFromProto(proto).data;
};
const headOf = ({ model }: FineTuned) => [
  weightOf(model, "classifier.weight"),
  weightOf(model, "classifier.bias"),
];

let tagger: FineTuned;
beforeAll(async () => {
  const options = { epochs: 2, batchSize: 2, learningRate: 2e-2, dropout: 0 };
  tagger = await fineTune(await toyDirectory(), { train }, "pos", options);
});

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "keep-head-"));
  await writeFineTuned(path, tagger);
  return path;
}

describe("the head of a base", () => {
  it.each<[string, () => Promise<string | BaseModel>]>([
    ["a directory with safetensors", directory],
    ["a graph", async () => tagger],
    ["a graph of which only the ONNX file is left", async () => ({ ...tagger, tensors: undefined })],
  ])("is kept where the labels are the same: %s", async (_, base) => {
    const next = await fineTune(await base(), { train }, "pos", still);
    expect(headOf(next)).toEqual(headOf(tagger));
    expect(next.settings.labels).toEqual(tagger.settings.labels);
  });

  it("is a fresh one if that is asked for, or if the labels differ", async () => {
    const fresh = await fineTune(tagger, { train }, "pos", { ...still, keepHead: false });
    expect(headOf(fresh)).not.toEqual(headOf(tagger));
    expect(Math.max(...Array.from(headOf(fresh)[1] as Float32Array, Math.abs))).toBeLessThan(1e-29);
    const fewer = train.map(({ words, labels }) => ({
      words,
      labels: labels.map((label) => (label === "VERB" ? "NOUN" : label)),
    }));
    const smaller = await fineTune(tagger, { train: fewer }, "pos", still);
    expect(smaller.settings.labels).toEqual(["DET", "NOUN"]);
    const kept = await fineTune(tagger, { train: fewer }, "pos", { ...still, keepHead: true });
    expect(kept.settings.labels).toEqual(["DET", "NOUN", "VERB"]);
    expect(headOf(kept)).toEqual(headOf(tagger));
  });

  it("keeps the order of the base's labels", async () => {
    const swap = (values: ArrayLike<number | bigint>): Float32Array =>
      Float32Array.from(
        values as Float32Array,
        (_, i, all = values as Float32Array) => all[i - (i % 3) + (2 - (i % 3))] as number,
      );
    const [weight, bias] = headOf(tagger).map(swap) as [Float32Array, Float32Array];
    const names = ["classifier.weight", "classifier.bias"] as const;
    const model = withWeights(
      tagger.model,
      new Map([
        [names[0], weight],
        [names[1], bias],
      ]),
    );
    const config = { ...tagger.config, id2label: { 0: "VERB", 1: "NOUN", 2: "DET" }, label2id: undefined };
    const next = await fineTune({ ...tagger, model, config }, { train }, "pos", still);
    expect(next.settings.labels).toEqual(["VERB", "NOUN", "DET"]);
    expect(headOf(next)[0]).toEqual(weight);
  });

  it("cannot be kept where it lacks a label, or where there is none", async () => {
    const more = [...train, { words: ["quickly"], labels: ["ADV"] }];
    await expect(
      fineTune(tagger, { train: more }, "pos", { ...still, keepHead: true }),
    ).rejects.toMatchObject({
      name: "TaggerError",
      code: "labels",
      message:
        "fineTune: keepHead: labels of the base: expected all of ADV, DET, NOUN, VERB, got DET, NOUN, VERB (without ADV)",
    });
    await expect(
      fineTune(await toyDirectory(), { train }, "pos", { ...still, keepHead: true }),
    ).rejects.toMatchObject({
      code: "labels",
      message: expect.stringContaining("no linear head with labels") as string,
    });
  });
});
