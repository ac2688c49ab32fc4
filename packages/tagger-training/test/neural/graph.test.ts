import { parseModel, serializeModel } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { type NeuralSettings, openNeuralTagger } from "@nasty/taggers";
import { describe, expect, test } from "vitest";
import { buildNeuralModel } from "../../src/neural/graph/build-neural-model.js";
import { referenceScores } from "./reference-forward.js";
import { tinyBilstm, tinyCnn, tinyFeatures, tinySentences } from "./tiny-neural.js";

const labels = ["A", "B", "C"];
const settings: NeuralSettings = { kind: "neural", task: "pos", labels, features: tinyFeatures };

describe.each([
  ["bilstm", tinyBilstm],
  ["cnn", tinyCnn],
])("%s", (_name, architecture) => {
  const model = buildNeuralModel({
    features: tinyFeatures,
    architecture,
    labels: 3,
    auxiliary: { xpos: 2 },
    seed: 7,
  });

  test("scores are those of the plain definition, whatever shares the run", async () => {
    const session = await openSession(model);
    const tagger = await openNeuralTagger(model, settings, (part) => openSession(part));
    const expected = tinySentences.map((s) => referenceScores(model, architecture, tinyFeatures, s));
    for (const batchSize of [1, 2, 16]) {
      const seen: number[][] = [];
      for await (const { feeds, mask, words } of tagger.feedsOf(tinySentences, { batchSize })) {
        const { logits } = await session.run(feeds, ["logits"]);
        const flat = logits?.data as Float32Array;
        expect(logits?.shape).toEqual([...mask.shape, 3]);
        expect(mask.data.reduce((a, b) => a + b, 0)).toBe(words);
        mask.data.forEach((real, i) => real === 1 && seen.push(Array.from(flat.subarray(i * 3, i * 3 + 3))));
      }
      // Batches are sorted by length: compare as sets of rows in order of their first number.
      const order = (rows: number[][]): number[][] =>
        rows.toSorted((a, b) => (a[0] as number) - (b[0] as number));
      const wanted = order(expected.flat());
      expect(seen.length).toBe(wanted.length);
      order(seen).forEach((row, i) =>
        row.forEach((v, j) => expect(v).toBeCloseTo((wanted[i] as number[])[j] as number, 4)),
      );
    }
    await Promise.all([session.close(), tagger.close()]);
  });

  test("labels do not depend on batches, order or the words met before", async () => {
    const expected = tinySentences.map((sentence) =>
      referenceScores(model, architecture, tinyFeatures, sentence).map(
        (row) => labels[row.indexOf(Math.max(...row))],
      ),
    );
    const tagger = await openNeuralTagger(model, settings, (part) => openSession(part));
    for (const options of [{}, { batchSize: 1 }, { batchSize: 2, lookAhead: 2 }, { batchTokens: 1 }]) {
      const tagged: (readonly string[])[] = [];
      for await (const tags of tagger.tag(tinySentences, options)) tagged.push(tags);
      expect(tagged).toEqual(expected);
    }
    await tagger.close();
  });

  test("the seed decides the weights", () => {
    const bytes = (seed: number): Uint8Array =>
      serializeModel(buildNeuralModel({ features: tinyFeatures, architecture, labels: 3, seed }));
    expect(bytes(3)).toEqual(bytes(3));
    expect(bytes(3)).not.toEqual(bytes(4));
    expect(parseModel(bytes(3)).graph?.input.map(({ name }) => name)).toContain("word_index");
  });
});

test("parts that are added up must be equally wide", () => {
  const architecture = { ...tinyCnn, embedding: { ...tinyCnn.embedding, shape: 5 } };
  expect(() => buildNeuralModel({ features: tinyFeatures, architecture, labels: 3 })).toThrow(
    "buildNeuralModel: embedding: widths: expected equal ones to add, got 4, 4, 5, 4",
  );
});
