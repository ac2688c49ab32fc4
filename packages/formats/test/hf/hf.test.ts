import { describe, expect, it } from "vitest";
import {
  modelFileName,
  modelVariants,
  parseModelConfig,
  parseTokenizerConfig,
  parseTokenizerFile,
} from "../../src/hf/index.js";

const config = (extra: object): string =>
  JSON.stringify({ model_type: "bert", id2label: { 0: "O", 1: "B-PER" }, ...extra });

describe("parseModelConfig", () => {
  it("reads labels, sizes and the preferred model file, and keeps the rest", () => {
    const found = parseModelConfig(
      config({
        id2label: { 1: "B-PER", 0: "O" },
        label2id: { "B-PER": 1, O: 0 },
        max_position_embeddings: 256,
        vocab_size: 8000,
        pad_token_id: null,
        "transformers.js_config": { dtype: "q8" },
        hidden_size: 4,
      }),
    );
    expect(found).toMatchObject({
      modelType: "bert",
      labels: ["O", "B-PER"],
      maxPositions: 256,
      vocabularySize: 8000,
      padTokenId: undefined,
      preferredDtype: "q8",
      raw: { hidden_size: 4 },
    });
    const perPart = config({ "transformers.js_config": { dtype: { model: "q4" } } });
    expect(parseModelConfig(perPart).preferredDtype).toBe("q4");
  });

  it("takes labels from label2id where there is no id2label", () => {
    expect(parseModelConfig('{"model_type":"x","label2id":{"B":1,"A":0}}').labels).toEqual(["A", "B"]);
  });

  it.each([
    [
      "default label2id",
      { label2id: { LABEL_0: 0, LABEL_1: 1 } },
      ["O", "B-PER"],
      /label2id is not the inverse/,
    ],
    ["label2id of strings", { label2id: { O: "0", "B-PER": "1" } }, ["O", "B-PER"], undefined],
    ["numbers as labels", { id2label: { 0: 0, 1: 1 } }, ["0", "1"], undefined],
    ["a list of labels", { id2label: ["O", "X"] }, ["O", "X"], undefined],
    ["a label of two ids", { id2label: { 0: "O", 1: "O" } }, ["O", "O"], /some are repeated/],
    [
      "gaps",
      { id2label: { 3: "B", 0: "O", 1: "A" } },
      ["O", "A", "LABEL_2", "B"],
      /1 of 4 ids have no label/,
    ],
    [
      "only num_labels",
      { id2label: null, num_labels: 2 },
      ["LABEL_0", "LABEL_1"],
      /2 labels are called LABEL_0 to/,
    ],
    ["another num_labels", { num_labels: 5 }, ["O", "B-PER"], /num_labels is 5/],
  ])("takes labels as transformers does: %s", (_, extra, labels, note) => {
    const found = parseModelConfig(config(extra));
    expect(found.labels).toEqual(labels);
    if (note === undefined) expect(found.notes).toEqual([]);
    else expect(found.notes.join()).toMatch(note);
  });

  it.each([
    ["BertForTokenClassification", "bert"],
    ["XLMRobertaForTokenClassification", "xlm-roberta"],
    ["DistilBertModel", "distilbert"],
  ])("finds the family by the class %s", (name, family) => {
    const found = parseModelConfig(config({ model_type: undefined, architectures: [name] }));
    expect(found).toMatchObject({ modelType: family, raw: { model_type: family } });
    expect(found.notes.join()).toContain(`taken as ${family}`);
  });

  it("does without a family, and sees RoBERTa's kin by the table of positions", () => {
    const unknown = { model_type: null, max_position_embeddings: 514, pad_token_id: 1 };
    expect(parseModelConfig(config(unknown))).toMatchObject({ modelType: undefined, maxPositions: 512 });
    expect(parseModelConfig(config({ ...unknown, pad_token_id: 0 })).maxPositions).toBe(514);
  });

  it("leaves sizes alone that are none, and reads a byte order mark over", () => {
    const odd = { vocab_size: "8000", max_position_embeddings: -1, pad_token_id: -1 };
    expect(parseModelConfig(`\uFEFF${config(odd)}`)).toMatchObject({
      vocabularySize: 8000,
      maxPositions: undefined,
      padTokenId: undefined,
    });
  });

  it("counts RoBERTa's positions behind the padding index", () => {
    const text = config({ model_type: "roberta", max_position_embeddings: 514, pad_token_id: 1 });
    expect(parseModelConfig(text).maxPositions).toBe(512);
    const kin = config({ model_type: "data2vec-text", max_position_embeddings: 514, pad_token_id: 1 });
    expect(parseModelConfig(kin).maxPositions).toBe(512);
  });

  it.each([
    ["json", "", "content: expected JSON, got an empty file"],
    ["schema", "[]", "whole file: expected Object, got Array"],
    ["schema", config({ model_type: 3 }), "model_type: expected string, got 3"],
    [
      "schema",
      config({ id2label: { 0: null } }),
      "id2label.0: expected (string | number | boolean), got null",
    ],
    [
      "schema",
      config({ "transformers.js_config": { dtype: 8 } }),
      "transformers.js_config.dtype: expected (string | Object), got 8",
    ],
    ["missing", '{"model_type":"bert"}', "id2label: expected the labels of a token classifier, got none"],
    ["label", config({ id2label: { zero: "O" } }), 'id2label: expected numbers from 0 to 99999, got "zero"'],
    [
      "label",
      config({ id2label: { 268435455: "O" } }),
      'id2label: expected numbers from 0 to 99999, got "268435455"',
    ],
    ["label", '{"num_labels":1e9}', "num_labels: expected at most 100000, got 1000000000"],
    ["label", '{"label2id":{"A":-1}}', "label2id.A: expected numbers from 0 to 99999, got -1"],
  ])("refuses %s: %s", (code, text, part) => {
    expect(() => parseModelConfig(text, "m/config.json")).toThrow(
      expect.objectContaining({ code, kind: "input", message: `parseModelConfig: m/config.json: ${part}` }),
    );
  });
});

describe("parseTokenizerConfig", () => {
  it("reads tokens as text or objects, and no placeholder length", () => {
    const text =
      '{"pad_token":{"content":"<pad>","lstrip":false},"bos_token":"<s>","sep_token":"</s>","model_max_length":1e30}';
    expect(parseTokenizerConfig(text)).toMatchObject({
      padToken: "<pad>",
      clsToken: "<s>",
      sepToken: "</s>",
      unknownToken: undefined,
      maxLength: undefined,
    });
    expect(parseTokenizerConfig('{"model_max_length":256}').maxLength).toBe(256);
    expect(parseTokenizerConfig('{"max_len":128}').maxLength).toBe(128);
    expect(parseTokenizerConfig('{"model_max_length":-3}').maxLength).toBeUndefined();
    expect(parseTokenizerConfig('{"model_max_length":"none"}').maxLength).toBeUndefined();
  });

  it("refuses a token of another kind", () => {
    expect(() => parseTokenizerConfig('{"pad_token":3}')).toThrow(
      "parseTokenizerConfig: tokenizer_config.json: pad_token: expected (string | Object), got 3",
    );
  });
});

describe("parseTokenizerFile", () => {
  it("counts the vocabulary by its ids, or its length where it is a list", () => {
    const pieces = '{"model":{"type":"WordPiece","vocab":{"[PAD]":0,"a":6}}}';
    expect(parseTokenizerFile(pieces)).toMatchObject({ modelKind: "WordPiece", vocabularySize: 7 });
    expect(parseTokenizerFile('{"model":{"vocab":[["a",-1.5],["b",0]]}}').vocabularySize).toBe(2);
  });

  it.each([
    ["{}", "model: expected a value, got nothing"],
    ['{"model":{}}', "model.vocab: expected a vocabulary (tokens with ids, or with scores), got nothing"],
    [
      '{"model":{"vocab":{}}}',
      "model.vocab: expected a vocabulary (tokens with ids, or with scores), got something else",
    ],
    [
      '{"model":{"vocab":{"a":-1}}}',
      "model.vocab: expected a vocabulary (tokens with ids, or with scores), got something else",
    ],
  ])("refuses %s", (text, part) => {
    expect(() => parseTokenizerFile(text)).toThrow(`parseTokenizerFile: tokenizer.json: ${part}`);
  });
});

describe("modelFileName", () => {
  it("has the suffixes of transformers.js", () => {
    expect(modelVariants.map(modelFileName)).toEqual([
      "model.onnx",
      "model_fp16.onnx",
      "model_quantized.onnx",
      "model_int8.onnx",
      "model_uint8.onnx",
      "model_q4.onnx",
      "model_q4f16.onnx",
      "model_bnb4.onnx",
    ]);
  });
});
