import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serializeModel } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { evaluate, makeTransformerTagger, readTaggerSettings } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import type { CheckpointStore, TrainingEvent } from "@nasty/training";
import { describe, expect, it } from "vitest";
import { writeFineTuned } from "../../src/fine-tuning/write-fine-tuned.js";
import { trainTransformer, type TrainTransformerOptions } from "../../src/subwords/train-transformer.js";
import { toyEntities, toySentences } from "../fine-tuning/toy.js";

const train = toySentences.slice(0, 4);
const tiny: TrainTransformerOptions = {
  task: "pos",
  train,
  validation: train,
  size: { layers: 1, hidden: 16, heads: 2, intermediate: 32, positions: 16, vocabulary: 60 },
  recipe: { epochs: 20, batchSize: 2, learningRate: 2e-2, dropout: 0, wordDropout: 0, averageDecay: 0.5 },
  seed: 3,
};
const noisy = { ...tiny.recipe, epochs: 3, dropout: 0.1, wordDropout: 0.2 };

/** Keeps checkpoints in memory, and stops the run at the one that `stopAt` counts to. */
function memory(stopAt: number) {
  let bytes: Uint8Array | undefined;
  let saves = 0;
  const stop = new AbortController();
  const checkpoint: CheckpointStore = {
    load: async () => bytes,
    save: async (chunks) => {
      bytes = Buffer.concat([...chunks]);
      if (++saves === stopAt) stop.abort();
    },
  };
  return { checkpoint, signal: stop.signal };
}

describe("a transformer from random weights", () => {
  it("learns, and carries its tagger", async () => {
    const trained = await trainTransformer(tiny);
    const { model, value, settings, history } = trained;
    expect(value).toBe(1);
    expect(history).toHaveLength(20);
    expect(settings).toMatchObject({ kind: "transformer", task: "pos", maxPositions: 16 });
    const carried = await readTaggerSettings(model);
    if (carried?.kind !== "transformer") throw new Error("expected a transformer");
    const tagger = await makeTransformerTagger(await openSession(model), carried);
    expect((await evaluate(tagger, train)).value).toBe(1);
    await tagger.close();
    expect(model.graph?.node.some(({ opType }) => opType === "Dropout")).toBe(false);

    const directory = join(await mkdtemp(join(tmpdir(), "transformer-")), "pos");
    await writeFineTuned(directory, trained);
    const reopened = await openTagger(directory);
    expect((await evaluate(reopened, train)).value).toBe(1);
    await reopened.close();
  });

  it("learns entities", async () => {
    const { value, settings } = await trainTransformer({
      ...tiny,
      task: "ner",
      train: toyEntities,
      validation: toyEntities,
    });
    expect(settings.labels).toEqual(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]);
    expect(value).toBe(1);
  });

  it("gives the same bytes twice, others for another seed and without hidden words", async () => {
    const run = async (more: Partial<TrainTransformerOptions>): Promise<Uint8Array> =>
      serializeModel((await trainTransformer({ ...tiny, recipe: noisy, ...more })).model);
    const first = await run({});
    expect(await run({})).toEqual(first);
    expect(await run({ seed: 4 })).not.toEqual(first);
    expect(await run({ recipe: { ...noisy, wordDropout: 0 } })).not.toEqual(first);
  });

  it("goes on after an interruption to the same bytes", async () => {
    const options = { ...tiny, recipe: noisy, checkpointEvery: 1 };
    const whole = serializeModel((await trainTransformer(options)).model);
    // Two steps an epoch: not all six of them.
    const { checkpoint, signal } = memory(4);
    const cut = await trainTransformer({ ...options, checkpoint, signal });
    expect(cut.stopped).toBe("interrupted");
    const events: TrainingEvent[] = [];
    const rest = await trainTransformer({ ...options, checkpoint, onEvent: (event) => events.push(event) });
    expect(events.map(({ event }) => event)).toContain("resume");
    expect(serializeModel(rest.model)).toEqual(whole);
    // Neither changes a weight.
    for (const other of [{ size: { ...tiny.size, heads: 4 } }, { recipe: { ...noisy, dropout: 0.2 } }]) {
      await expect(trainTransformer({ ...options, checkpoint, ...other })).rejects.toMatchObject({
        code: "checkpoint-mismatch",
      });
    }
  });

  it("names bad input", async () => {
    const refused = (more: Partial<TrainTransformerOptions>) =>
      expect(trainTransformer({ ...tiny, ...more })).rejects;
    await refused({ train: [] }).toMatchObject({
      code: "empty",
      message: "trainVocabulary: words: characters: expected at least 1, got 0",
    });
    await refused({ validation: [{ words: ["dog"], labels: ["X"], line: 7 }] }).toMatchObject({
      code: "unknown-label",
      message: expect.stringMatching(/^trainTransformer: validation: line 7.*got "X"$/),
    });
    await refused({ train: [{ words: ["a", "b"], labels: ["X"] }] }).toMatchObject({
      code: "misaligned",
      message: expect.stringMatching(/^trainTransformer: train: .*expected 2 \(one a word\), got 1$/),
    });
    await refused({ size: { ...tiny.size, vocabulary: 9 } }).toMatchObject({
      code: "option",
      message: expect.stringMatching(/^trainVocabulary: size: expected an integer from \d+ .* got 9$/),
    });
    await refused({ size: { ...tiny.size, heads: 3 } }).toMatchObject({
      code: "config",
      message: expect.stringMatching(/hidden_size: expected a multiple of the 3 heads, got 16$/),
    });
    await refused({ size: { ...tiny.size, positions: 2 } }).toMatchObject({ code: "window" });
    await refused({ recipe: { wordDropout: 1 } }).toMatchObject({
      code: "option",
      message: "trainTransformer: wordDropout: expected a number in [0, 1), got 1",
    });
  });
});
