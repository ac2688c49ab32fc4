import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dynamic, int4, int8, weightOnly } from "@nasty/compression";
import { readConlluFile } from "@nasty/formats/conllu/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { nerInt8, posFastInt8, posInt8, sampleConllu } from "@nasty/model-en";
import { posSentences, trainTagger, trainTransformer } from "@nasty/tagger-training";
import { readTaggerSettings, withTagger } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const sentences = await posSentences(readConlluFile(fileURLToPath(sampleConllu)));
const texts = sentences.slice(0, 60).map(({ words }) => words);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-portable-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const labelsOn = async (
  engine: "native" | "portable",
  path: string,
  batchSize: number,
): Promise<string[][]> => {
  const tagger = await openTagger(path, { engine });
  const labels: string[][] = [];
  for await (const one of tagger.tag(texts, { batchSize })) labels.push([...one]);
  await tagger.close();
  return labels;
};

/** Labels are those of ONNX Runtime, one sentence at a time and many. */
const expectSameLabels = async (path: string): Promise<void> => {
  for (const batchSize of [1, 16])
    expect(await labelsOn("portable", path, batchSize)).toEqual(await labelsOn("native", path, batchSize));
};

const data = {
  task: "pos",
  train: sentences.slice(60, 160),
  validation: sentences.slice(160),
  seed: 1,
} as const;

/** All forms that files of a tagger take. */
const formsOf = async (model: ModelProto): Promise<Readonly<Record<string, ModelProto>>> => {
  const path = join(folder, "float.onnx");
  await writeModelFile(path, model);
  const tagger = await openTagger(path, { engine: "native" });
  const calibrationData = [];
  for await (const batch of tagger.feedsOf(texts.slice(0, 20), { batchSize: 1 })) calibrationData.push(batch);
  await tagger.close();
  return {
    float: model,
    dynamic: await dynamic.quantize(model),
    asymmetric: await dynamic.quantize(model, { symmetric: false }),
    static: await int8.quantize(model, { calibrationData }),
    int4: await int4.quantize(model),
    weightOnly: await weightOnly.quantize(model),
  };
};

describe("whole taggers on the portable engine", () => {
  it.each(["bilstm", "cnn"] as const)(
    "a %s of every form gives ONNX Runtime's labels",
    async (architecture) => {
      // Long enough that no two labels are all but equally likely.
      const { model } = await trainTagger({ ...data, architecture, recipe: { epochs: 4 } });
      const settings = await readTaggerSettings(model);
      for (const [form, quantized] of Object.entries(await formsOf(model))) {
        const path = join(folder, `${architecture}-${form}.onnx`);
        await writeModelFile(
          path,
          settings === undefined ? quantized : await withTagger(quantized, settings),
        );
        await expectSameLabels(path);
      }
    },
  );

  it("a transformer of every form gives ONNX Runtime's labels", async () => {
    const { model } = await trainTransformer({
      ...data,
      size: { layers: 2, hidden: 32, heads: 2, intermediate: 64, vocabulary: 400 },
      recipe: { epochs: 2, learningRate: 2e-3 },
    });
    const settings = await readTaggerSettings(model);
    for (const [form, quantized] of Object.entries(await formsOf(model))) {
      const path = join(folder, `transformer-${form}.onnx`);
      await writeModelFile(path, settings === undefined ? quantized : await withTagger(quantized, settings));
      await expectSameLabels(path);
    }
  });

  it.each([
    ["accurate", posInt8],
    ["fast", posFastInt8],
    ["entities", nerInt8],
  ])("the %s default model gives ONNX Runtime's labels", (_, url) => expectSameLabels(fileURLToPath(url)));
});
