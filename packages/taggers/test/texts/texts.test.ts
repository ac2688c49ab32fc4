import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { inputsOf } from "../../src/model-inputs.js";
import { modelKindOf } from "../../src/texts/model-kind.js";
import { pooled } from "../../src/texts/pooling.js";
import { classifyTexts, labelScores } from "../../src/texts/text-answers.js";
import { makeTextBatches } from "../../src/texts/text-batches.js";
import { readTextSettings, withTextSettings } from "../../src/texts/text-metadata.js";
import { makeTextModel } from "../../src/texts/text-model.js";
import { type AnyTextSettings, textSettingsFromHf } from "../../src/texts/text-settings.js";

const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film"];
const tokenizerJson = {
  added_tokens: [],
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
    ],
    pair: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
      { Sequence: { id: "B", type_id: 1 } },
      { SpecialToken: { id: "[SEP]", type_id: 1 } },
    ],
    special_tokens: { "[CLS]": { ids: [2] }, "[SEP]": { ids: [3] } },
  },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
};
const parts = (raw: Readonly<Record<string, unknown>>, labels: readonly string[] = []) => ({
  config: {
    modelType: "bert",
    labels,
    maxPositions: 8,
    vocabularySize: words.length,
    padTokenId: 0,
    preferredDtype: undefined,
    notes: [],
    raw,
  },
  tokenizerJson,
  tokenizerConfig: { maxLength: undefined, padToken: undefined, unknownToken: undefined, raw: {} } as never,
});

/** The sum of what each id is worth for each label; the types of positions count a hundred. */
function classifier(labels: number): ModelProto {
  const table = Float32Array.from({ length: words.length * labels }, (_, i) => {
    const [word, label] = [words[Math.floor(i / labels)], i % labels];
    return (word === "good" && label === 0) || (word === "bad" && label === 1) ? 4 : 0;
  });
  const shape = ["batch", "length"];
  const graph = makeGraph("classifier", {
    nodes: [
      makeNode("Gather", ["table", "input_ids"], ["worth"]),
      makeNode("ReduceSum", ["worth", "axis"], ["logits"], { attributes: { keepdims: 0 } }),
    ],
    inputs: ["input_ids", "token_type_ids"].map((name) => makeValueInfo(name, "int64", shape)),
    outputs: [makeValueInfo("logits", "float32", ["batch", labels])],
    initializers: [
      makeTensor("table", "float32", { values: table, shape: [words.length, labels] }),
      makeTensor("axis", "int64", { values: BigInt64Array.of(1n) }),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

const settings = textSettingsFromHf("sequence-classification", parts({}, ["pos", "neg"]));

describe("makeTextBatches", () => {
  it("encodes texts and pairs with their types, and cuts the longer text of a pair first", async () => {
    const batches = makeTextBatches(inputsOf(classifier(2)), settings);
    const of = async (text: string, pair?: string) => {
      for await (const { feeds } of batches.of([{ text, pair }])) {
        return [feeds["input_ids"], feeds["token_type_ids"]].map((value) =>
          [...(value?.data ?? [])].map(Number),
        );
      }
      return [];
    };
    expect(await of("good film")).toEqual([
      [2, 4, 6, 3],
      [0, 0, 0, 0],
    ]);
    expect(await of("good", "bad film")).toEqual([
      [2, 4, 3, 5, 6, 3],
      [0, 0, 0, 1, 1, 1],
    ]);
    const [cut] = await of("good ".repeat(9), "bad");
    expect(cut).toEqual([2, 4, 4, 4, 4, 3, 5, 3]);
    expect(await of("")).toEqual([
      [2, 3],
      [0, 0],
    ]);
  });

  it("puts texts of like length together and says where they belong", async () => {
    const batches = makeTextBatches(inputsOf(classifier(2)), settings);
    const texts = ["good", "good film bad film", "bad"].map((text) => ({ text }));
    const seen: number[][] = [];
    for await (const { indices } of batches.of(texts, { batchSize: 2 })) seen.push([...indices]);
    expect(seen).toEqual([[0, 2], [1]]);
  });
});

describe("makeTextModel", () => {
  it("answers in the order of the texts, whatever the batches", async () => {
    const model = await makeTextModel(await openSession(classifier(2)), settings);
    const texts = ["good", "bad film bad film bad", "film good", "bad"].map((text) => ({ text }));
    for (const batchSize of [1, 2, 8]) {
      const said: string[] = [];
      for await (const { label } of classifyTexts(model, texts, { batchSize })) said.push(label);
      expect(said).toEqual(["pos", "neg", "pos", "neg"]);
    }
    await model.close();
  });

  it("refuses outputs that are not one number a label, and a tokenizer of another model", async () => {
    const session = await openSession(classifier(3));
    await expect(makeTextModel(session, settings)).rejects.toThrow(
      /model: outputs: expected float32 or float16 \[1, 2\] \(texts, labels\), got logits float32 \[1, 3\]/,
    );
    await session.close();
  });
});

describe("labelScores", () => {
  it("is a softmax of one label, a probability of each of several, and the number itself of a regression", () => {
    const logits = Float32Array.of(0, Math.log(3));
    expect([...labelScores(logits, { problem: "single-label" })].map((x) => +x.toFixed(6))).toEqual([
      0.25, 0.75,
    ]);
    expect([...labelScores(logits, { problem: "multi-label" })].map((x) => +x.toFixed(6))).toEqual([
      0.5, 0.75,
    ]);
    expect([...labelScores(Float32Array.of(2.5), { problem: "regression" })]).toEqual([2.5]);
  });
});

describe("pooled", () => {
  it.each([
    ["cls", [1, 2]],
    ["last", [5, 0]],
    ["mean", [3, 2]],
    ["max", [5, 4]],
    ["mean-sqrt", [9 / Math.sqrt(3), 6 / Math.sqrt(3)]],
    ["weighted-mean", [(1 + 2 * 3 + 3 * 5) / 6, (2 + 2 * 4) / 6]],
  ] as const)("%s counts real positions only", (mode, expected) => {
    const out = new Float32Array(2);
    pooled(Float32Array.of(9, 9, 1, 2, 3, 4, 5, 0, 9, 9), Uint8Array.of(0, 1, 1, 1, 0), [mode], out);
    expect([...out].map((x) => +x.toFixed(4))).toEqual(expected.map((x) => +x.toFixed(4)));
  });

  it("stands several poolings one behind the other", () => {
    const out = new Float32Array(4);
    pooled(Float32Array.of(1, 2, 3, 4), Uint8Array.of(1, 1), ["cls", "max"], out);
    expect([...out]).toEqual([1, 2, 3, 4]);
  });
});

describe("modelKindOf", () => {
  const withOutputs = (name: string, rank: number): ModelProto =>
    makeModel(
      makeGraph("g", {
        nodes: [],
        outputs: [
          makeValueInfo(
            name,
            "float32",
            Array.from({ length: rank }, (_, i) => `d${i}`),
          ),
        ],
      }),
    );
  it.each([
    [{ architectures: ["BertForTokenClassification"] }, "logits", 3, "token-classification"],
    [{ architectures: ["RobertaForSequenceClassification"] }, "logits", 2, "sequence-classification"],
    [{ architectures: ["MPNetModel"] }, "last_hidden_state", 3, "feature-extraction"],
    [{ architectures: ["BertForMaskedLM"] }, "logits", 3, "graph"],
    [{ architectures: ["GPT2LMHeadModel"] }, "logits", 3, "graph"],
    [{ architectures: ["BertModel"] }, "logits", 3, "token-classification"],
    [{ problem_type: "regression" }, "scores", 2, "sequence-classification"],
    [{}, "logits", 2, "sequence-classification"],
    [{}, "sentence_embedding", 2, "feature-extraction"],
    [{}, "boxes", 2, undefined],
  ] as const)("%j with %s of %i dimensions", (config, name, rank, kind) => {
    expect(modelKindOf(config, withOutputs(name, rank))).toBe(kind);
  });
});

describe("withTextSettings", () => {
  it("gives back what a model carries, the same text for the same settings", async () => {
    const encoder: AnyTextSettings = textSettingsFromHf("feature-extraction", {
      ...parts({}),
      modules: { pooling: ["cls", "mean"], normalize: true, maxLength: 6, notes: [] },
    });
    expect(encoder.maxPositions).toBe(6);
    for (const one of [settings, encoder]) {
      const model = await withTextSettings(classifier(2), one);
      const read = await readTextSettings(model);
      expect(read).toMatchObject({ kind: one.kind, maxPositions: one.maxPositions });
      const again = await withTextSettings(classifier(2), read as AnyTextSettings);
      expect(again.metadataProps).toEqual(model.metadataProps);
    }
    expect(await readTextSettings(classifier(2))).toBeUndefined();
  });

  it("refuses entries that are damaged, by their key", async () => {
    const model = await withTextSettings(classifier(2), settings);
    const damaged = {
      ...model,
      metadataProps: model.metadataProps.map((entry) =>
        entry.key === "nasty.text" ? { ...entry, value: '{"schema":1,"kind":"poetry"}' } : entry,
      ),
    };
    await expect(readTextSettings(damaged)).rejects.toThrow(
      /metadata nasty\.text: kind: expected .*, got "poetry"/,
    );
  });
});
