import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSession } from "@nasty/runtime";
import { seededRandom } from "@nasty/training";
import { expect, it } from "vitest";
import { fineTuneEmbedder, type TextVector } from "../../src/text-models/fine-tune-embedder.js";
import { makeTextFeeder } from "../../src/text-models/text-rows.js";
import { writeTextModel } from "../../src/text-models/write-text-model.js";
import { plantedTexts, tinyBase } from "./planted.js";

const width = 16;
const random = seededRandom(2);
const byWord = new Map<string, number[]>();

/** The mean of vectors that each word has. */
function vectorOf(text: string): number[] {
  const words = text.replace(".", "").split(" ");
  return words.reduce<number[]>(
    (sum, word) => {
      const own = byWord.get(word) ?? Array.from({ length: width }, () => random.normal());
      byWord.set(word, own);
      return sum.map((value, i) => value + (own[i] as number) / words.length);
    },
    Array.from({ length: width }, () => 0),
  );
}

const train: readonly TextVector[] = plantedTexts.map(({ text, place }) => ({
  text,
  place,
  vector: vectorOf(text),
}));
const options = { epochs: 60, batchSize: 4, learningRate: 1e-2, seed: 3 };

it("learns vectors of texts, and its directory gives them by the mean of its hidden states", async () => {
  const tuned = await fineTuneEmbedder(tinyBase(plantedTexts), { train, validation: train }, options);
  expect(tuned.cosine).toBeGreaterThan(0.95);
  expect(tuned.cosine).toBe(tuned.bestMetric);
  // The loss that is reported is 1 − cosine: it starts near 1.
  expect(tuned.history[0]?.loss).toBeLessThan(1.3);
  expect(tuned.history.at(-1)?.loss).toBeLessThan(0.1);

  const out = join(await mkdtemp(join(tmpdir(), "text-models-")), "out");
  const written = await writeTextModel(out, tuned);
  expect([...written.keys()]).toContain("1_Pooling/config.json");
  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(out, name), "utf8"));
  const config = (await json("config.json")) as object;
  expect(config).toMatchObject({ architectures: ["BertModel"] });
  expect(Object.keys(config)).not.toContain("id2label");
  expect(await json("1_Pooling/config.json")).toMatchObject({
    word_embedding_dimension: width,
    pooling_mode_mean_tokens: true,
    pooling_mode_cls_token: false,
  });
  expect(await json("modules.json")).toMatchObject([{ path: "" }, { path: "1_Pooling" }]);

  const session = await openSession(join(out, "onnx/model.onnx"));
  expect(session.outputs.map(({ name }) => name)).toEqual(["last_hidden_state"]);
  const feeder = makeTextFeeder(tuned.model, tuned.settings);
  const [first] = train as [TextVector];
  const { feeds } = feeder.feed([feeder.encode(first.text, undefined)]);
  const hidden = (await session.run(feeds))["last_hidden_state"];
  await session.close();
  const positions = hidden?.shape[1] ?? 0;
  const mean = Array.from({ length: width }, (_, i) =>
    Array.from({ length: positions }, (__, p) => Number(hidden?.data[p * width + i])).reduce(
      (a, b) => a + b,
      0,
    ),
  );
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((s, x, i) => s + x * (b[i] ?? 0), 0);
  const vector = [...first.vector];
  expect(dot(mean, vector) / Math.sqrt(dot(mean, mean) * dot(vector, vector))).toBeGreaterThan(0.9);
});

it("vectors that cannot be learned are refused with their line", async () => {
  const base = tinyBase(plantedTexts);
  const wrong = async (vector: readonly number[]) =>
    expect(fineTuneEmbedder(base, { train: [...train, { text: "a", vector, place: "line 31" }] }, options))
      .rejects;
  await (await wrong([1, 2])).toThrow(
    "fineTune: train: line 31: vector: expected 16 numbers (the width of the encoder), got 2",
  );
  const zeros = Array.from({ length: width }, () => 0);
  await (await wrong(zeros)).toThrow(
    "line 31: vector: expected finite numbers that are not all 0, got length 0",
  );
  await (await wrong(zeros.with(0, Number.NaN))).toThrow("got length NaN");
});
