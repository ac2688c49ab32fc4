import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor, type Tensor } from "@nasty/core";
import { gzip } from "@nasty/formats/archive";
import { withMetadata } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { ModelGraph } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { expect, test } from "vitest";
import {
  makeNeuralTagger,
  type NeuralSettings,
  openNeuralTagger,
  readTaggerSettings,
  type Tagger,
  withTagger,
} from "../../src/index.js";
import type { NeuralTagger } from "../../src/neural/neural-tagger.js";
import { toBase64 } from "../../src/base64.js";
import { dropAuxiliary } from "../../src/neural/drop-auxiliary.js";
import { splitModel } from "../../src/neural/split-model.js";
import { openTagger } from "../../src/node.js";
import { constrainChain, type Scores } from "../../src/tagging/decode.js";
import { pathProbabilities } from "../../src/tagging/path-probabilities.js";
import { tinyFeatures, tinyNeural, tinySentences } from "./tiny-neural.js";

const labels = ["O", "B-PER", "I-PER"];
const settings: NeuralSettings = { kind: "neural", task: "ner", labels, features: tinyFeatures };
const options = { places: "lengths" } as const;

async function tagAll(tagger: Tagger): Promise<(readonly string[])[]> {
  const out: (readonly string[])[] = [];
  for await (const tags of tagger.tag(tinySentences)) out.push(tags);
  await tagger.close();
  return out;
}

test("a written file carries its tagger, compressed or not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nasty-neural-"));
  try {
    const model = await withTagger(tinyNeural({ ...options, chain: true }), settings);
    const expected = await tagAll(await openNeuralTagger(model, settings, (part) => openSession(part)));
    const path = join(folder, "ner.onnx");
    await writeModelFile(path, model);
    expect(await tagAll(await openTagger(path))).toEqual(expected);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("settings come back as they were written", async () => {
  const strange = {
    ...tinyFeatures,
    vocabulary: ["", "\u0000", "\ufeffbom", "a", "naïve", "__proto__", "😀"],
  };
  const model = await withTagger(tinyNeural({ ...options, features: strange }), {
    ...settings,
    features: strange,
  });
  expect(await readTaggerSettings(model)).toEqual({ ...settings, features: strange });
});

const codes = { words: ["a", "naïve", "😀"], books: 2, codes: Uint8Array.of(0, 10, 255, 10, 10, 3) };

test("word codes come back as they were written, and damaged ones are named", async () => {
  const coded = { ...settings, features: { ...tinyFeatures, codes } };
  const model = await withTagger(tinyNeural(options), coded);
  expect(await readTaggerSettings(model)).toEqual(coded);
  const damaged = async (text: string): Promise<unknown> =>
    readTaggerSettings(withMetadata(model, { "nasty.codes": text }));
  const packed = async (content: string): Promise<string> =>
    toBase64(await gzip(new TextEncoder().encode(content)));
  const refused = (text: string, message: string) =>
    expect(damaged(text)).rejects.toMatchObject({
      code: "metadata",
      message: expect.stringContaining(`metadata nasty.codes: ${message}`),
    });
  await refused("%%%", "expected base64 of gzipped words and codes, got ");
  await refused(await packed("a\nb\n"), "expected words and an empty line, got 4 bytes without one");
  await refused(await packed("a\nb\n\nxyz"), "expected 4 codes (2 words, 2 codebooks), got 3");
  await expect(
    withTagger(tinyNeural(options), {
      ...coded,
      features: { ...tinyFeatures, codes: { ...codes, words: [""] } },
    }),
  ).rejects.toThrow('packCodes: word "": expected a word without line breaks');
});

test.each([
  [
    "nasty.vocabulary",
    undefined,
    "metadata nasty.vocabulary: expected a packed vocabulary, got no such entry",
  ],
  ["nasty.vocabulary", "%%%", "metadata nasty.vocabulary: expected base64 of gzipped words, got "],
  [
    "nasty.tagger",
    '{"schema":1,"kind":"neural","task":"pos","labels":["X"]}',
    "nasty.tagger: features: expected",
  ],
])("damaged metadata %s %j is named", async (key, text, message) => {
  const model = withMetadata(await withTagger(tinyNeural(options), settings), { [key]: text });
  await expect(readTaggerSettings(model)).rejects.toMatchObject({
    code: "metadata",
    kind: "input",
    message: expect.stringContaining(message),
  });
});

test("a word with a line break cannot be packed", async () => {
  const features = { ...tinyFeatures, vocabulary: ["a\nb"] };
  await expect(
    withTagger(tinyNeural({ ...options, features }), { ...settings, features }),
  ).rejects.toMatchObject({
    code: "metadata",
    message: 'packVocabulary: word "a\\nb": expected no line break, got one',
  });
});

test.each(["lengths", "mask"] as const)("%s: halves give what the whole gives", async (places) => {
  const model = tinyNeural({ places, chain: true, seed: 3 });
  const halves = splitModel(model);
  expect(halves?.network.graph?.input.map(({ name }) => name).sort()).toEqual(
    ["embeddings", places, "word_index"].sort(),
  );
  expect(halves?.embedder.graph?.output.map(({ name }) => name)).toEqual(["embeddings"]);
  const whole = await makeNeuralTagger({ whole: await openSession(model) }, settings);
  const split = await openNeuralTagger(model, settings, (part) => openSession(part));
  expect(await tagAll(split)).toEqual(await tagAll(whole));
});

test("a fresh call does not depend on what was tagged before", async () => {
  const open = () =>
    openNeuralTagger(tinyNeural({ ...options, seed: 3 }), settings, async (part) => {
      const session = await openSession(part);
      if (!session.outputs.some(({ name }) => name === "embeddings")) return session;
      return {
        ...session,
        // As the last bits of a sum may, values depend on how many words are computed together.
        async run(feeds, names) {
          const { embeddings } = await session.run(feeds, names);
          const { shape, data } = embeddings as Tensor<"float32">;
          return {
            embeddings: tensor(
              "float32",
              shape,
              data.map((value) => value + 0.1 * (shape[0] as number)),
            ),
          };
        },
      };
    });
  const scoresOf = async (tagger: NeuralTagger, fresh: boolean): Promise<number[][]> => {
    const all: number[][] = [];
    for await (const { data, start, length } of tagger.scores(tinySentences, { fresh })) {
      all.push([...data.subarray(start, start + length * settings.labels.length)]);
    }
    return all;
  };
  const alone = await scoresOf(await open(), true);
  const busy = await open();
  for (const word of ["time", "like"]) for await (const _ of busy.tag([[word]])) void _;
  expect(await scoresOf(busy, false)).not.toEqual(alone);
  expect(await scoresOf(busy, true)).toEqual(alone);
});

test("entities have the marginals of a model with scores of sequences, and else the softmax of each word", async () => {
  for (const chain of [true, false]) {
    const model = tinyNeural({ places: "mask", chain, seed: 3 });
    const tagger = await makeNeuralTagger({ whole: await openSession(model) }, settings);
    const labels = tagger.labels.length;
    const scores: Scores[] = [];
    for await (const one of tagger.scores(tinySentences)) scores.push(one);
    const choices = [];
    for await (const one of tagger.choices?.(tinySentences) ?? []) choices.push(one);
    expect(choices).toHaveLength(tinySentences.length);
    choices.forEach((choice, s) => {
      const { data, start, length } = scores[s] as Scores;
      expect(choice.labels).toHaveLength(length);
      const own =
        tagger.chain === undefined
          ? Array.from(choice.labels, (label, i) => {
              const row = data.subarray(start + i * labels, start + (i + 1) * labels);
              return Math.exp(row[label] as number) / row.reduce((sum, one) => sum + Math.exp(one), 0);
            })
          : [
              ...pathProbabilities(
                { data, start, length },
                choice.labels,
                constrainChain(tagger.chain, tagger.labels, tagger.labelling?.form),
              ),
            ];
      choice.probabilities.forEach((p, i) => expect(p).toBeCloseTo(own[i] as number, 6));
    });
    expect(tagger.chain === undefined).toBe(!chain);
    const predicted = await tagAll(tagger);
    expect(choices.map((one) => Array.from(one.labels, (label) => settings.labels[label]))).toEqual(
      predicted,
    );
  }
});

test("a graph that uses words behind the vectors again is not cut", () => {
  const edited = ModelGraph.from(tinyNeural(options));
  edited.main.addNode({ opType: "Cast", inputs: ["word_ids"], outputs: ["again"], attributes: { to: 1 } });
  edited.main.addNode({
    opType: "ReduceSum",
    inputs: ["again"],
    outputs: ["total"],
    attributes: { keepdims: 0 },
  });
  const [logits] = edited.main.outputs;
  edited.main.addNode({ opType: "Add", inputs: ["logits", "total"], outputs: ["shifted"] });
  edited.main.removeOutput("logits");
  edited.main.addOutput({ ...(logits as NonNullable<typeof logits>), name: "shifted" });
  edited.main.sort();
  expect(splitModel(edited.toModel())).toBeUndefined();
});

test("entity labels obey the chunk scheme where single best ones would not", async () => {
  const model = tinyNeural({ places: "mask", seed: 12 });
  const single = await openNeuralTagger(model, { ...settings, task: "pos" }, (part) => openSession(part));
  const orphans = (all: (readonly string[])[]): number =>
    all.reduce(
      (n, tags) => n + tags.filter((t, i) => t === "I-PER" && (tags[i - 1] ?? "O") === "O").length,
      0,
    );
  expect(orphans(await tagAll(single))).toBeGreaterThan(0);
  expect(orphans(await tagAll(await openNeuralTagger(model, settings, (part) => openSession(part))))).toBe(0);
});

test("the shipped graph has neither auxiliary heads nor Dropout", () => {
  const model = tinyNeural({ ...options, auxiliary: { xpos: 4, feats: 5 } });
  const shipped = dropAuxiliary(model);
  expect(model.graph?.output.map(({ name }) => name)).toEqual(["logits", "logits_xpos", "logits_feats"]);
  expect(shipped.graph?.output.map(({ name }) => name)).toEqual(["logits"]);
  expect(shipped.graph?.node.filter(({ opType }) => opType === "Dropout")).toEqual([]);
  expect(shipped.graph?.initializer.some(({ name }) => name.includes("xpos"))).toBe(false);
});

test("sessions of other models are refused", async () => {
  const session = await openSession(tinyNeural(options));
  await expect(
    makeNeuralTagger({ whole: session }, { ...settings, labels: ["O", "B-X", "I-X", "B-Y", "I-Y"] }),
  ).rejects.toMatchObject({
    code: "model-outputs",
    message:
      "openTagger: model: outputs: expected logits float32 [batch, length, 5], got logits float32 [batch, length, 3]",
  });
  const embedder = await openSession(
    splitModel(tinyNeural(options))?.embedder as NonNullable<ReturnType<typeof splitModel>>["embedder"],
  );
  await expect(makeNeuralTagger({ whole: embedder }, settings)).rejects.toMatchObject({
    code: "model-inputs",
    message: expect.stringContaining("expected word_index, and lengths or mask, got word_ids"),
  });
  await Promise.all([session.close(), embedder.close()]);
});

test("a store of words that grows too large is emptied without changing labels", async () => {
  const tagger = await openNeuralTagger(tinyNeural(options), settings, (part) => openSession(part));
  const many = Array.from({ length: 200 }, (_, i) =>
    Array.from({ length: 100 }, (_unused, j) => `w${i}x${j}`),
  );
  let before = 0;
  for await (const tags of tagger.tag(many, { lookAhead: 50 })) before += tags.length;
  expect(before).toBe(20_000);
  const after = await tagAll(tagger);
  const fresh = await openNeuralTagger(tinyNeural(options), settings, (part) => openSession(part));
  expect(after).toEqual(await tagAll(fresh));
});

test("calls that run at the same time do not take each other's words", async () => {
  const open = () => openNeuralTagger(tinyNeural(options), settings, (part) => openSession(part));
  const texts = [0, 1, 2].map((text) =>
    Array.from({ length: 120 }, (_, i) => Array.from({ length: 100 }, (_unused, j) => `w${text}x${i}x${j}`)),
  );
  const tagged = async (tagger: Tagger, sentences: string[][]): Promise<string> => {
    const out: string[] = [];
    for await (const tags of tagger.tag(sentences, { lookAhead: 40 })) out.push(tags.join(" "));
    return out.join("\n");
  };
  const together = await open();
  const found = await Promise.all(texts.map((text) => tagged(together, text)));
  await together.close();
  for (const [i, text] of texts.entries()) {
    const alone = await open();
    expect(found[i]).toBe(await tagged(alone, text));
    await alone.close();
  }
});
