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

  it("counts RoBERTa's positions behind the padding index", () => {
    const text = config({ model_type: "roberta", max_position_embeddings: 514, pad_token_id: 1 });
    expect(parseModelConfig(text).maxPositions).toBe(512);
    const kin = config({ model_type: "data2vec-text", max_position_embeddings: 514, pad_token_id: 1 });
    expect(parseModelConfig(kin).maxPositions).toBe(512);
  });

  it.each([
    ["json", "", "content: expected JSON, got an empty file"],
    ["schema", "[]", "model_type: expected a value, got nothing"],
    ["schema", config({ model_type: 3 }), "model_type: expected string, got 3"],
    ["schema", config({ id2label: { 0: 7 } }), "id2label.0: expected string, got 7"],
    ["schema", config({ vocab_size: "8000" }), 'vocab_size: expected number, got "8000"'],
    ["schema", config({ max_position_embeddings: 0 }), "max_position_embeddings: expected >=1, got 0"],
    [
      "schema",
      config({ "transformers.js_config": { dtype: 8 } }),
      "transformers.js_config.dtype: expected (string | Object), got 8",
    ],
    ["missing", '{"model_type":"bert"}', "id2label: expected the labels of a token classifier, got none"],
    [
      "label",
      config({ id2label: { 0: "O", 2: "B" } }),
      "id2label: expected keys 0 to 1, got no 1 among 2 keys",
    ],
    ["label", config({ id2label: { zero: "O" } }), 'id2label: expected numbers as keys, got "zero"'],
    [
      "label",
      config({ id2label: { 0: "O", 1: "O" } }),
      'id2label.1: expected each label once, got "O" as 0 too',
    ],
    ["label", config({ label2id: { O: 1 } }), "label2id.O: expected 0 as in id2label, got 1"],
    ["label", config({ label2id: { X: 1 } }), "label2id.X: expected a label of id2label, got 1"],
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
