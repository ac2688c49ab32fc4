import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "@nasty/core";
import { serializeModel } from "@nasty/formats/onnx";
import { openHfDirectory } from "@nasty/formats/hf/node";
import { openSession } from "@nasty/runtime";
import { settingsFromHf } from "@nasty/taggers";
import { makeFeeder, makeTextEncoder } from "@nasty/taggers/transformer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  randomFamilies,
  randomTextModel,
  writeRandomClassifier,
  writeRandomEncoder,
} from "./random-models.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-random-models-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(randomFamilies)("random models of %s", (family) => {
  test("are classifiers whose tokenizers know words, and tell texts apart", async () => {
    const path = await writeRandomClassifier(join(folder, `${family}-classifier`), { family });
    const settings = settingsFromHf(await openHfDirectory(path));
    expect(settings.labels).toEqual(["good", "bad", "mixed"]);
    const encoder = makeTextEncoder(settings.tokenizer);
    const rows = ["good film.", "a bad book and an old door"].map((text) =>
      encoder.encode(text, undefined, 64),
    );
    // Two special tokens, two words and the full stop; RoBERTa knows words behind a blank, and spells the first.
    expect(rows[0]?.ids).toHaveLength(family === "roberta" ? 8 : 5);
    const session = await openSession(join(path, "onnx/model.onnx"));
    const { padId, special } = encoder;
    const feeder = makeFeeder(session, { special, padId, positionOffset: settings.positionOffset });
    const { logits } = await session.run(feeder.feed(rows).feeds);
    await session.close();
    expect(logits?.shape).toEqual([2, 3]);
    const scores = (logits as Tensor<"float32">).data;
    expect(Math.abs((scores[0] as number) - (scores[3] as number))).toBeGreaterThan(1e-3);
    const config = JSON.parse(await readFile(join(path, "config.json"), "utf8")) as {
      architectures: string[];
    };
    expect(config.architectures[0]).toMatch(/ForSequenceClassification$/);
  });

  test("are encoders, the same for the same seed and others for another", async () => {
    const path = await writeRandomEncoder(join(folder, `${family}-encoder`), { family });
    const session = await openSession(join(path, "onnx/model.onnx"));
    expect(session.outputs.map(({ name }) => name)).toEqual(["last_hidden_state"]);
    await session.close();
    const bytes = (seed: number) => Buffer.from(serializeModel(randomTextModel({ family, seed }).model));
    expect(bytes(1).equals(bytes(1))).toBe(true);
    expect(bytes(1).equals(bytes(2))).toBe(false);
  });
});
