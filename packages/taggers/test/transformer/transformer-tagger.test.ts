import { parseModelConfig, parseTokenizerConfig } from "@nasty/formats/hf";
import { makeNode, makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, test } from "vitest";
import {
  type BatchOptions,
  makeTransformerTagger,
  readTaggerSettings,
  settingsFromHf,
  type Sentences,
  type Tagger,
  type TransformerSettings,
  withTagger,
} from "../../src/index.js";
import { labelledConfig } from "../../src/encoders/labelled-config.js";
import { tinyModel, type TinyModelOptions } from "./tiny-model.js";
import { byteLevelBpe, unigram, wordPiece } from "./tiny-tokenizers.js";

const WORDS = ["a", "b", "c", "d", "e", "##x"];
// Ids 5 to 10: with four labels id mod 4 gives a → 1, b → 2, c → 3, d → 0, e → 1.
const LABELS = ["L0", "L1", "L2", "L3"];
const EXPECTED: Record<string, string> = { a: "L1", b: "L2", c: "L3", d: "L0", e: "L1", ax: "L1" };

const settings = (
  extra: Record<string, unknown> = {},
  tokenizerJson: unknown = wordPiece(WORDS),
): TransformerSettings =>
  settingsFromHf({
    config: parseModelConfig(
      JSON.stringify({
        model_type: "bert",
        id2label: Object.fromEntries(LABELS.map((label, id) => [id, label])),
        max_position_embeddings: 32,
        pad_token_id: 0,
        ...extra,
      }),
    ),
    tokenizerJson,
    tokenizerConfig: parseTokenizerConfig(
      JSON.stringify({ pad_token: "[PAD]", unk_token: { content: "[UNK]" }, model_max_length: 1e30 }),
    ),
  });

const open = async (model: ModelProto, s = settings()): Promise<Tagger> =>
  makeTransformerTagger(await openSession(model), s);
const tiny = (options: Partial<TinyModelOptions> = {}): ModelProto =>
  tinyModel({ vocabulary: 11, labels: 4, ...options });

async function tagAll(
  tagger: Tagger,
  sentences: Sentences,
  options?: BatchOptions,
): Promise<(readonly string[])[]> {
  const all: (readonly string[])[] = [];
  for await (const labels of tagger.tag(sentences, options)) all.push(labels);
  return all;
}

const sentences = Array.from({ length: 50 }, (_, i) =>
  Array.from({ length: (i * 7) % 23 }, (_, j) => Object.keys(EXPECTED)[(i + j * j) % 6] as string),
);
const expected = sentences.map((words) => words.map((word) => EXPECTED[word]));

describe("makeTransformerTagger", () => {
  test.each([
    ["one by one", { batchSize: 1 }],
    ["by default", {}],
    ["in large batches", { batchSize: 64, batchTokens: 4096, lookAhead: 50 }],
    ["with a short look-ahead", { batchSize: 4, lookAhead: 3 }],
    ["with few tokens a batch", { batchTokens: 10 }],
  ])("labels of first subwords in input order, %s", async (_, options) => {
    const tagger = await open(tiny());
    expect(tagger).toMatchObject({ kind: "transformer", task: "pos", labels: LABELS });
    expect(await tagAll(tagger, sentences, options)).toEqual(expected);
    await tagger.close();
  });

  test.each([
    [["input_ids"], "int64"],
    [["input_ids", "attention_mask"], "int32"],
    [["input_ids", "attention_mask", "token_type_ids"], "int32"],
    [["attention_mask", "input_ids", "position_ids"], "int64"],
  ] as const)("inputs %j as %s", async (inputs, dtype) => {
    const tagger = await open(tiny({ inputs, dtype }));
    expect(await tagAll(tagger, sentences)).toEqual(expected);
    await tagger.close();
  });

  test("a model of fixed shape gets rows and positions that it wants", async () => {
    const tagger = await open(tiny({ shape: [4, 16] }));
    expect(await tagAll(tagger, sentences)).toEqual(expected);
    await tagger.close();
  });

  test("streams: no more than the look-ahead is read before labels come", async () => {
    const tagger = await open(tiny());
    let read = 0;
    async function* source(): AsyncGenerator<string[]> {
      for (;;) {
        read++;
        yield ["a", "b"];
      }
    }
    for (const [options, most] of [
      [{ batchSize: 1 }, 1],
      [{ lookAhead: 5 }, 5],
    ] as const) {
      read = 0;
      for await (const labels of tagger.tag(source(), options)) {
        expect(labels).toEqual(["L1", "L2"]);
        break;
      }
      expect(read).toBe(most);
    }
    await tagger.close();
  });

  test("sentences longer than the model's positions go through windows", async () => {
    const tagger = await open(tiny());
    const long = Array.from({ length: 200 }, (_, i) => Object.keys(EXPECTED)[i % 6] as string);
    expect(await tagAll(tagger, [["a"], long, ["b"]])).toEqual([
      ["L1"],
      long.map((word) => EXPECTED[word]),
      ["L2"],
    ]);
    const lengths: number[] = [];
    for await (const { mask } of tagger.feedsOf([long], { batchSize: 1 }))
      lengths.push(mask.shape[1] as number);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(32);
    expect(lengths.length).toBeGreaterThan(8);
    // One word of more subwords than the model has positions.
    expect(await tagAll(tagger, [[`a${"x".repeat(60)}`, "c"]])).toEqual([["L1", "L3"]]);
    await tagger.close();
  });

  test("RoBERTa counts positions from behind the padding id and has that many fewer", async () => {
    const roberta = settings(
      { model_type: "roberta", max_position_embeddings: 34, pad_token_id: 1 },
      byteLevelBpe(),
    );
    expect(roberta).toMatchObject({ maxPositions: 32, positionOffset: 2 });
    const tagger = await open(
      tiny({ vocabulary: 12, positions: 34, inputs: ["input_ids", "attention_mask", "position_ids"] }),
      roberta,
    );
    const feeds: unknown[] = [];
    for await (const batch of tagger.feedsOf([["a"], ["bc", "b"]], { batchSize: 2 })) feeds.push(batch);
    // "a" is <s> Ġa </s>; "bc b" is <s> Ġ bc Ġ b </s>: lengths too different for one batch.
    expect(feeds).toMatchObject([
      { words: 1, feeds: { position_ids: { data: BigInt64Array.of(2n, 3n, 4n) } } },
      { words: 2, feeds: { input_ids: { data: BigInt64Array.of(0n, 4n, 10n, 4n, 6n, 2n) } } },
    ]);
    await tagger.close();
  });

  test("feedsOf: padding, mask and type ids", async () => {
    const tagger = await open(tiny(), settings({}, unigram()));
    const batches = [];
    for await (const batch of tagger.feedsOf(
      [
        ["the", "the", "the"],
        ["the", "the", "the", "the"],
      ],
      { batchSize: 2 },
    ))
      batches.push(batch);
    expect(batches).toEqual([
      {
        words: 7,
        mask: { dtype: "uint8", shape: [2, 6], data: Uint8Array.of(1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1) },
        feeds: {
          input_ids: {
            dtype: "int64",
            shape: [2, 6],
            data: BigInt64Array.from([0, 5, 5, 5, 2, 0, 0, 5, 5, 5, 5, 2], BigInt),
          },
          attention_mask: {
            dtype: "int64",
            shape: [2, 6],
            data: BigInt64Array.from([1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1], BigInt),
          },
          token_type_ids: {
            dtype: "int64",
            shape: [2, 6],
            data: BigInt64Array.from([0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1], BigInt),
          },
        },
      },
    ]);
    await tagger.close();
  });

  test("the tagger travels inside the model", async () => {
    const carried = await withTagger(tiny(), settings());
    const restored = (await readTaggerSettings(carried)) as TransformerSettings;
    expect(restored).toMatchObject({
      kind: "transformer",
      task: "pos",
      labels: LABELS,
      maxPositions: 32,
      positionOffset: 0,
    });
    const tagger = await open(carried, restored);
    expect(await tagAll(tagger, sentences)).toEqual(expected);
    await tagger.close();
    expect(await readTaggerSettings(tiny())).toBeUndefined();
  });

  test.each([
    [
      "an embedding that is too small",
      tiny({ vocabulary: 10 }),
      settings(),
      "tokenizer-mismatch",
      "expected an embedding of at least 11 rows, got 10 rows",
    ],
    [
      "a declared vocabulary that is too small",
      tiny(),
      settings({ vocab_size: 7 }),
      "tokenizer-mismatch",
      "at least 11 rows, got 7 rows",
    ],
    [
      "another number of labels",
      tiny({ labels: 5 }),
      settings(),
      "model-outputs",
      "expected float32 or float16 [1, 3, 4] (rows, length, 4 labels), got logits float32 [1, 3, 5]",
    ],
    ["no room for words", tiny(), settings({ max_position_embeddings: 2 }), "window", "got 2 positions"],
  ] as const)("%s is refused", async (_, model, s, code, message) => {
    await expect(open(model, s)).rejects.toMatchObject({
      code,
      kind: "input",
      message: expect.stringContaining(message),
    });
  });

  test("inputs are known by the names that converters from TensorFlow and tracing exporters give them", async () => {
    for (const suffix of [":0", ".1"]) {
      const model = tiny();
      const { input = [], node = [] } = model.graph ?? {};
      for (const { name } of input) {
        for (const one of node) one.input = one.input.map((read) => (read === name ? name + suffix : read));
      }
      for (const value of input) value.name += suffix;
      const tagger = await open(model);
      expect(await tagAll(tagger, sentences)).toEqual(expected);
      await tagger.close();
    }
  });

  test("float16 scores will do", async () => {
    const model = tiny();
    const { output = [], node = [] } = model.graph ?? {};
    const last = node.at(-1);
    if (last !== undefined) last.output = ["scores32"];
    node.push(makeNode("Cast", ["scores32"], ["logits"], { attributes: { to: 10 } }));
    output[0] = makeValueInfo("logits", "float16", ["batch", "sequence", 4]);
    const tagger = await open(model);
    expect(await tagAll(tagger, sentences)).toEqual(expected);
    await tagger.close();
  });

  test("NaN scores are named, not tagged", async () => {
    const tagger = await open(tiny({ bias: Number.NaN }));
    await expect(tagAll(tagger, [["a"]])).rejects.toMatchObject({
      code: "output",
      message: "tag: model: logits: expected numbers, got NaN",
    });
    await tagger.close();
  });
});

test("the language goes into model files and Hugging Face directories, and comes out of them", async () => {
  const danish = { ...settings(), language: "da" };
  const file = await withTagger(tinyModel({ vocabulary: 11, labels: 4 }), danish);
  expect((await readTaggerSettings(file))?.language).toBe("da");
  const config = JSON.stringify(labelledConfig(danish.huggingFace?.config ?? {}, danish));
  const again = settingsFromHf({
    config: parseModelConfig(config),
    tokenizerJson: wordPiece(WORDS),
    tokenizerConfig: parseTokenizerConfig("{}"),
  });
  expect(again).toMatchObject({ language: "da", task: danish.task, labels: LABELS });
  // Without one nothing is written.
  expect(labelledConfig({ model_type: "bert" }, settings())).not.toHaveProperty("nasty");
});
