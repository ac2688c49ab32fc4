import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { isHfDirectory, openHfDirectory, openModelFolder, writeHfDirectory } from "../../src/hf/node.js";

const root = mkdtempSync(join(tmpdir(), "hf-"));
afterAll(() => rmSync(root, { recursive: true }));
let path = "";
let next = 0;

const content = {
  config: { model_type: "bert", id2label: { 0: "O", 1: "B-PER" }, vocab_size: 3 },
  tokenizerJson: { model: { type: "WordPiece", vocab: { "[PAD]": 0, a: 1, b: 2 } } },
  tokenizerConfig: { pad_token: "[PAD]", model_max_length: 16 },
};
const bytes = Uint8Array.of(1, 2, 3);

beforeEach(async () => {
  path = join(root, String(next++));
  await writeHfDirectory(path, { ...content, models: new Map([["fp32", [bytes]]]) });
});

describe("openHfDirectory", () => {
  it("reads what writeHfDirectory wrote", async () => {
    const found = await openHfDirectory(path);
    expect(found.labels).toEqual(["O", "B-PER"]);
    expect(found.config.raw).toEqual(content.config);
    expect(found.tokenizerJson).toEqual(content.tokenizerJson);
    expect(found.tokenizerConfig.padToken).toBe("[PAD]");
    expect(found.modelPath()).toBe(join(path, "onnx", "model.onnx"));
    expect(found.safetensorsPath).toBeUndefined();
  });

  it("finds variants in onnx/, beside config.json, and compressed", async () => {
    for (const name of ["onnx/model_quantized.onnx.gz", "model_q4.onnx", "model.onnx", "model.safetensors"]) {
      writeFileSync(join(path, name), bytes);
    }
    const { models, modelPath, safetensorsPath } = await openHfDirectory(path);
    expect([...models.keys()]).toEqual(["fp32", "q8", "q4"]);
    expect(modelPath("fp32")).toBe(join(path, "onnx/model.onnx"));
    expect(modelPath("q8")).toBe(join(path, "onnx/model_quantized.onnx.gz"));
    expect(modelPath("q4")).toBe(join(path, "model_q4.onnx"));
    expect(safetensorsPath).toBe(join(path, "model.safetensors"));
    expect(() => modelPath("fp16")).toThrow(
      `openHfDirectory: ${path}: model file: expected onnx/model_fp16.onnx or model_fp16.onnx, got only fp32, q8, q4`,
    );
  });

  it("without a float model takes what config.json prefers", async () => {
    rmSync(join(path, "onnx/model.onnx"));
    writeFileSync(join(path, "onnx/model_quantized.onnx"), bytes);
    writeFileSync(join(path, "onnx/model_q4.onnx"), bytes);
    expect((await openHfDirectory(path)).modelPath()).toBe(join(path, "onnx/model_quantized.onnx"));
    const preferring = { ...content.config, "transformers.js_config": { dtype: "q4" } };
    writeFileSync(join(path, "config.json"), JSON.stringify(preferring));
    expect((await openHfDirectory(path)).modelPath()).toBe(join(path, "onnx/model_q4.onnx"));
  });

  it("says that there is no model file", async () => {
    rmSync(join(path, "onnx"), { recursive: true });
    const { modelPath } = await openHfDirectory(path);
    expect(() => modelPath()).toThrow(/expected onnx\/model.onnx or model.onnx, got no model file$/);
  });

  it("refuses the tokenizer of another model", async () => {
    const other = { model: { vocab: { a: 0, b: 12 } } };
    writeFileSync(join(path, "tokenizer.json"), JSON.stringify(other));
    await expect(openHfDirectory(path)).rejects.toMatchObject({
      code: "out-of-range",
      message: `openHfDirectory: ${join(path, "tokenizer.json")}: model.vocab: expected ids below 3 (vocab_size of config.json), got 12; is it the tokenizer of another model?`,
    });
  });

  it.each(["config.json", "tokenizer.json"])("names a missing %s", async (name) => {
    rmSync(join(path, name));
    await expect(openHfDirectory(path)).rejects.toMatchObject({
      code: "not-found",
      fields: { path: join(path, name) },
    });
  });

  it("does without tokenizer_config.json, and takes special tokens from special_tokens_map.json", async () => {
    rmSync(join(path, "tokenizer_config.json"));
    const bare = await openHfDirectory(path);
    expect(bare.tokenizerConfig.padToken).toBeUndefined();
    expect(bare.notes).toEqual([expect.stringContaining("tokenizer_config.json: not there")]);
    writeFileSync(join(path, "special_tokens_map.json"), '{"pad_token":{"content":"[PAD]"},"unk_token":"a"}');
    writeFileSync(join(path, "tokenizer_config.json"), '\uFEFF{"unk_token":"b","pad_token":null}');
    const found = await openHfDirectory(path);
    expect(found.tokenizerConfig).toMatchObject({ padToken: "[PAD]", unknownToken: "b" });
    expect(found.notes).toEqual([]);
  });

  it("builds the tokenizer of a directory that has only vocab.txt", async () => {
    rmSync(join(path, "tokenizer.json"));
    rmSync(join(path, "tokenizer_config.json"));
    const config = { ...content.config, vocab_size: 9 };
    writeFileSync(join(path, "config.json"), JSON.stringify(config));
    const pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cat", "##s", "__proto__"];
    writeFileSync(join(path, "vocab.txt"), `\uFEFF${pieces.join("\r\n")}\r\n`);
    writeFileSync(join(path, "added_tokens.json"), '{"<e>":8}');
    const { tokenizerJson, tokenizerConfig, notes } = await openHfDirectory(path);
    expect(tokenizerJson).toMatchObject({
      normalizer: { type: "BertNormalizer", lowercase: true, handle_chinese_chars: true },
      post_processor: { special_tokens: { "[CLS]": { ids: [2] }, "[SEP]": { ids: [3] } } },
      added_tokens: [{ id: 0 }, { id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }, { id: 8, content: "<e>" }],
    });
    const { vocab } = tokenizerJson["model"] as { vocab: Record<string, number> };
    expect(Object.keys(vocab)).toEqual(pieces);
    expect(tokenizerConfig).toMatchObject({ padToken: "[PAD]", raw: { do_lower_case: true } });
    expect(notes.join()).toMatch(/no tokenizer\.json.*do_lower_case.*no capital letters/);

    writeFileSync(join(path, "vocab.txt"), [...pieces, "Cat"].join("\n"));
    expect((await openHfDirectory(path)).tokenizerJson).toMatchObject({ normalizer: { lowercase: false } });
    writeFileSync(join(path, "tokenizer_config.json"), '{"do_lower_case":true,"strip_accents":false}');
    expect((await openHfDirectory(path)).tokenizerJson).toMatchObject({
      normalizer: { lowercase: true, strip_accents: false },
    });
    writeFileSync(join(path, "vocab.txt"), "a\nb\n");
    await expect(openHfDirectory(path)).rejects.toMatchObject({
      code: "missing",
      message: `openHfDirectory: ${join(path, "vocab.txt")}: unk_token: expected a line "[UNK]", got none; is it a WordPiece vocabulary?`,
    });
  });

  it("finds the graph of a folder without tokenizer and config.json, for what needs no text", async () => {
    for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) rmSync(join(path, name));
    expect(await isHfDirectory(path)).toBe(true);
    expect((await openModelFolder(path)).modelPath()).toBe(join(path, "onnx/model.onnx"));
    await expect(openHfDirectory(path)).rejects.toMatchObject({ code: "not-found" });
    writeFileSync(join(path, "config.json"), JSON.stringify(content.config));
    writeFileSync(join(path, "vocab.json"), "{}");
    await expect(openHfDirectory(path)).rejects.toThrow(
      "tokenizer: expected tokenizer.json or vocab.txt (WordPiece), got only vocab.json",
    );
  });

  it("names file and key of a wrong value", async () => {
    writeFileSync(join(path, "config.json"), '{"model_type":"bert","id2label":{"0":{}}}');
    await expect(openHfDirectory(path)).rejects.toThrow(
      `parseModelConfig: ${join(path, "config.json")}: id2label.0: expected (string | number | boolean), got Object`,
    );
  });

  it("names a file that is not UTF-8", async () => {
    writeFileSync(join(path, "config.json"), Uint8Array.of(0x7b, 0xff, 0x7d));
    await expect(openHfDirectory(path)).rejects.toMatchObject({ code: "encoding" });
  });

  it("refuses what is no folder", async () => {
    await expect(openHfDirectory(join(path, "none"))).rejects.toThrow(/expected a folder, got nothing$/);
    await expect(openHfDirectory(join(path, "config.json"))).rejects.toThrow(
      /expected a folder, got a file$/,
    );
    expect(await isHfDirectory(path)).toBe(true);
    expect(await isHfDirectory(root)).toBe(false);
  });
});

describe("writeHfDirectory", () => {
  it("checks everything before it writes anything", async () => {
    const target = join(root, "unwritten");
    const models = new Map([["q8", [bytes]] as const]);
    const wrong = { ...content, tokenizerConfig: {}, models };
    await expect(writeHfDirectory(target, wrong)).rejects.toThrow(
      "writeHfDirectory: tokenizer_config.json: pad_token: expected the padding token, got nothing",
    );
    expect(existsSync(target)).toBe(false);
  });

  it("says that a folder cannot be made", async () => {
    mkdirSync(join(root, "in-the-way"));
    writeFileSync(join(root, "in-the-way/file"), "");
    const target = join(root, "in-the-way/file");
    await expect(writeHfDirectory(target, { ...content, models: new Map() })).rejects.toMatchObject({
      code: "unwritable",
    });
  });
});
