import { type ModelProto, tensorFromProto, withMetadata } from "@nasty/formats/onnx";
import { readTaggerSettings, TaggerError } from "@nasty/taggers";
import type { Modifier } from "@nasty/training";
import { beforeAll, describe, expect, it } from "vitest";
import { fineTune } from "../../src/fine-tuning/fine-tune.js";
import { type TaggerModel, trainFurther } from "../../src/further-training/train-further.js";
import { trainTagger } from "../../src/neural/training/train-tagger.js";
import { toyDirectory, toySentences } from "../fine-tuning/toy.js";
import { tinyBilstm, tinyCnn, tinyFeatures } from "../neural/tiny-neural.js";

const { vocabulary: _v, characters: _c, ...sizes } = tinyFeatures;
const preset = {
  architecture: { ...tinyBilstm, layers: 1, hidden: 8 },
  features: { ...sizes, affixRows: 64, leastCount: 1 },
};
const data = { train: toySentences, validation: toySentences };

const weights = (model: ModelProto): Map<string, unknown> =>
  new Map((model.graph?.initializer ?? []).map((proto) => [proto.name, tensorFromProto(proto).data]));

/** Hardly trained taggers of every kind. */
let taggers: Record<string, TaggerModel>;
beforeAll(async () => {
  const transformer = await fineTune(await toyDirectory(), data, "pos", {
    epochs: 1,
    batchSize: 4,
    learningRate: 1e-4,
  });
  const neural = (
    architecture: typeof preset | { architecture: typeof tinyCnn; features: typeof preset.features },
    chain: boolean,
  ) => trainTagger({ task: "pos", ...data, architecture, chain, recipe: { epochs: 1, batchSentences: 4 } });
  const cnn = { architecture: tinyCnn, features: preset.features };
  taggers = {
    transformer,
    bilstm: await neural(preset, false),
    chain: await neural(preset, true),
    cnn: await neural(cnn, false),
    "cnn chain": await neural(cnn, true),
  };
});

describe("trainFurther", () => {
  it.each(["transformer", "bilstm", "chain", "cnn", "cnn chain"])(
    "%s: learns on with its own labels and features",
    async (kind) => {
      const tagger = taggers[kind] as TaggerModel;
      const before = weights(tagger.model);
      const { model, bestMetric, history } = await trainFurther(tagger, data, {
        epochs: 15,
        batchSize: 4,
        learningRate: 2e-2,
      });
      expect(bestMetric).toBeGreaterThan(0.85);
      expect(history.length).toBe(15);
      expect(weights(tagger.model)).toEqual(before);
      expect([...weights(model).keys()].sort()).toEqual([...before.keys()].sort());
      expect((await readTaggerSettings(model))?.labels).toEqual(tagger.settings.labels);
    },
  );

  it("hands modifiers on, and gives their state back", async () => {
    let steps = 0;
    const counting: Modifier = {
      name: "counting",
      afterStep: () => void (steps += 1),
      state: () => ({ steps: Float32Array.of(steps) }),
    };
    const trained = await trainFurther(
      taggers["bilstm"] as TaggerModel,
      { train: toySentences },
      {
        epochs: 2,
        batchSize: 4,
        modifiers: [counting],
      },
    );
    expect(steps).toBe(trained.steps);
    expect(trained.modifiers["counting/steps"]).toEqual(Float32Array.of(trained.steps));
  });

  it("smooths labels and hides words if asked", async () => {
    const tagger = taggers["transformer"] as TaggerModel;
    const run = async (more: object) =>
      weights((await trainFurther(tagger, { train: toySentences }, { epochs: 1, ...more })).model);
    const plain = await run({});
    expect(await run({})).toEqual(plain);
    expect(await run({ labelSmoothing: 0.2 })).not.toEqual(plain);
    expect(await run({ wordDropout: 0.5 })).not.toEqual(plain);
  });

  it.each([
    [
      [{ words: ["a"], labels: ["XYZ"] }],
      "unknown-label",
      'trainFurther: train: sentence 1 word 1: label of "a": expected one of those in training (DET, NOUN, VERB), got "XYZ"',
    ],
    [[], "empty", "trainFurther: train: labelled words: expected at least 1, got 0 in 0 sentences"],
  ])("refuses %j", async (train, code, message) => {
    const error = await trainFurther(taggers["transformer"] as TaggerModel, { train }).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(TaggerError);
    expect(error).toMatchObject({ code, message });
  });

  it("refuses a model without outputs that are scores", async () => {
    const { model, settings } = taggers["transformer"] as TaggerModel;
    const empty = withMetadata({ ...model, graph: undefined } as never, {});
    await expect(trainFurther({ model: empty, settings }, data)).rejects.toMatchObject({
      code: "model-outputs",
    });
  });
});
