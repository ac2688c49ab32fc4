import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  copyMessage,
  getMetadata,
  makeNode,
  makeTensor,
  type ModelProto,
  withMetadata,
} from "@nasty/formats/onnx";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";
import { parseSafetensors, serializeSafetensors } from "@nasty/formats/safetensors";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withTagger } from "../../src/index.js";
import { exportTagger, findTagger, openTagger } from "../../src/node.js";
import { tinyCheckpoint } from "../encoders/tiny-checkpoint.js";
import { tinyModel } from "../transformer/tiny-model.js";
import { byteLevelBpe, wordPiece } from "../transformer/tiny-tokenizers.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "export-"));
});
afterEach(() => rm(root, { recursive: true }));

const at = (...parts: string[]): string => join(root, ...parts);
const labels = ["O", "B-PER", "I-PER"];
const float = tinyModel({ vocabulary: 8, labels: 3 });

/** The same model with its table in 8 or 4 bits. */
function stored(dtype: "int8" | "uint4"): ModelProto {
  const graph = float.graph!;
  const table = Array.from({ length: 24 }, (_, i) => (Math.floor(i / 3) % 3 === i % 3 ? 1 : 0));
  return copyMessage(float, {
    opsetImport: float.opsetImport.map((entry) => copyMessage(entry, { version: 21n })),
    irVersion: 10n,
    graph: copyMessage(graph, {
      node: [makeNode("DequantizeLinear", ["Eq", "one"], ["E"]), ...graph.node],
      initializer: [
        ...graph.initializer.filter(({ name }) => name !== "E"),
        makeTensor("Eq", dtype, { values: table, shape: [8, 3] }),
      ],
    }),
  });
}

interface DirectoryOptions {
  readonly models?: Readonly<Record<string, ModelProto>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly tokenizer?: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig?: Readonly<Record<string, unknown>>;
}

async function directory(
  name: string,
  {
    models = { "model.onnx": float },
    config = {},
    tokenizer = wordPiece(["a", "b", "c"]),
    tokenizerConfig = { pad_token: "[PAD]", do_lower_case: false },
  }: DirectoryOptions = {},
): Promise<string> {
  await mkdir(at(name, "onnx"), { recursive: true });
  const whole = {
    model_type: "bert",
    _name_or_path: "somebody/else",
    id2label: { ...labels },
    max_position_embeddings: 32,
    vocab_size: 8,
    hidden_act: "gelu",
    ...config,
  };
  await writeFile(at(name, "config.json"), JSON.stringify(whole));
  await writeFile(at(name, "tokenizer.json"), JSON.stringify(tokenizer));
  await writeFile(at(name, "tokenizer_config.json"), JSON.stringify(tokenizerConfig));
  for (const [file, model] of Object.entries(models)) await writeModelFile(at(name, "onnx", file), model);
  return at(name);
}

/** A model file that carries the tagger of a directory. */
async function carrying(name: string, model: ModelProto, source: string): Promise<string> {
  await mkdir(dirname(at(name)), { recursive: true });
  await writeModelFile(at(name), await withTagger(model, (await findTagger(source)).settings));
  return at(name);
}

// oxlint-disable-next-line typescript/no-explicit-any
const json = async (...parts: string[]): Promise<any> => JSON.parse(await readFile(at(...parts), "utf8"));

const tree = async (name: string): Promise<string[]> =>
  (await readdir(at(name), { recursive: true })).filter((file) => file !== "onnx").toSorted();

async function tagOne(path: string, variant: string): Promise<readonly string[]> {
  const tagger = await openTagger(path, { variant });
  try {
    for await (const found of tagger.tag([["a", "b", "c"]])) return found;
    return [];
  } finally {
    await tagger.close();
  }
}

const expected = ["I-PER", "O", "B-PER"];

describe("a model file without its directory", () => {
  test("becomes a directory with the files of the one it came from", async () => {
    const source = await directory("source");
    const file = await carrying("elsewhere/ner_int8.onnx", stored("int8"), source);
    const before = {
      config: await json("source", "config.json"),
      tokenizer: await json("source", "tokenizer.json"),
    };
    await rm(source, { recursive: true });
    const { variants, modelType, files } = await exportTagger(file, at("out"));
    expect({ variants, modelType }).toEqual({ variants: ["q8"], modelType: "bert" });
    expect(await tree("out")).toEqual([
      "config.json",
      "onnx/model_quantized.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const { _name_or_path: _, ...config } = before.config;
    expect(await json("out", "config.json")).toEqual({
      ...config,
      architectures: ["BertForTokenClassification"],
      label2id: { O: 0, "B-PER": 1, "I-PER": 2 },
      "transformers.js_config": { dtype: "q8" },
    });
    expect(await json("out", "tokenizer.json")).toEqual(before.tokenizer);
    expect(await json("out", "tokenizer_config.json")).toEqual({ pad_token: "[PAD]", do_lower_case: false });
    expect(await tagOne(at("out"), "q8")).toEqual(expected);
    const bytes = await readFile(at("out", "onnx/model_quantized.onnx"));
    expect(files.get("onnx/model_quantized.onnx")).toEqual({
      bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
  });

  test("of an older version asks for the family, and makes up the rest", async () => {
    const source = await directory("source");
    const old = withMetadata(await readModelFile(await carrying("a.onnx", stored("uint4"), source)), {
      "nasty.huggingface": undefined,
    });
    await writeModelFile(at("old.onnx"), old);
    await expect(exportTagger(at("old.onnx"), at("out"))).rejects.toMatchObject({
      code: "config",
      message: `exportTagger: ${at("old.onnx")}: model_type: expected the family of the model (bert, roberta, …) in the file, got none; give the model type, or export from the Hugging Face directory that the file was made from`,
    });
    expect(existsSync(at("out"))).toBe(false);
    const { variants } = await exportTagger(at("old.onnx"), at("out"), { modelType: "electra" });
    expect(variants).toEqual(["q4"]);
    expect(await json("out", "config.json")).toMatchObject({
      model_type: "electra",
      vocab_size: 8,
      max_position_embeddings: 32,
      "transformers.js_config": { dtype: "q4" },
    });
    expect(await json("out", "tokenizer_config.json")).toEqual({ pad_token: "[PAD]", model_max_length: 32 });
    expect(await tagOne(at("out"), "q4")).toEqual(expected);
  });

  test("refuses a family that the model does not have, and a tagger of whole words", async () => {
    const file = await carrying("a.onnx", float, await directory("source"));
    await expect(exportTagger(file, at("out"), { modelType: "roberta" })).rejects.toMatchObject({
      code: "config",
      message: `exportTagger: ${file}: model_type: expected bert as the model has it, got roberta`,
    });
    await writeModelFile(at("bare.onnx"), float);
    await expect(exportTagger(at("bare.onnx"), at("out"))).rejects.toMatchObject({
      code: "tokenizer-missing",
    });
    expect(existsSync(at("out"))).toBe(false);
  });
});

describe("a directory", () => {
  test("is written with all its variants, its tokenizer's companions and its weights", async () => {
    const source = await directory("source", {
      models: { "model.onnx": float, "model_quantized.onnx": stored("int8") },
      config: { "transformers.js_config": { dtype: "q8", kept: 1 } },
    });
    for (const name of ["vocab.txt", "special_tokens_map.json", "README.md", "model.safetensors"]) {
      await writeFile(at("source", name), name);
    }
    const { variants } = await exportTagger(source, at("out"));
    expect(variants).toEqual(["fp32", "q8"]);
    expect(await tree("out")).toEqual([
      "config.json",
      "model.safetensors",
      "onnx/model.onnx",
      "onnx/model_quantized.onnx",
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "vocab.txt",
    ]);
    // With a float32 file transformers.js needs no preference.
    expect((await json("out", "config.json"))["transformers.js_config"]).toEqual({ kept: 1 });
    expect(await readFile(at("out", "model.safetensors"), "utf8")).toBe("model.safetensors");
  });

  test("gives one variant where one is asked for", async () => {
    const source = await directory("source", {
      models: { "model.onnx": float, "model_quantized.onnx": stored("int8") },
    });
    expect((await exportTagger(source, at("out"), { dtype: "q8" })).variants).toEqual(["q8"]);
    expect(await tree("out")).not.toContain("onnx/model.onnx");
    await expect(exportTagger(source, at("none"), { dtype: "q4" })).rejects.toMatchObject({
      code: "not-found",
    });
  });

  test("gets a pad_token if it has none", async () => {
    const source = await directory("source", { tokenizerConfig: { do_lower_case: false } });
    await exportTagger(source, at("out"));
    expect(await json("out", "tokenizer_config.json")).toEqual({ do_lower_case: false, pad_token: "[PAD]" });
  });

  test.each(["bert", "distilbert"] as const)(
    "of %s with safetensors only gets its graph",
    async (modelType) => {
      const { config, tensors } = tinyCheckpoint(modelType, { vocabulary: 8, labels });
      const source = await directory("source", {
        models: {},
        config: { ...config, id2label: { ...labels } },
      });
      await writeFile(at("source", "model.safetensors"), serializeSafetensors(tensors));
      await exportTagger(source, at("out"));
      expect(await tagOne(at("out"), "fp32")).toHaveLength(3);
      // The weights of that file, exported as a model file of its own, have the family's names again.
      const file = await carrying("alone.onnx", await readModelFile(at("out/onnx/model.onnx")), at("out"));
      await exportTagger(file, at("again"), {
        record: (model) => withMetadata(model, { "nasty.history": "made" }),
      });
      const bytes = await readFile(at("again", "model.safetensors"));
      const back = parseSafetensors(bytes);
      expect([...back.keys()].filter((name) => !tensors.has(name))).toEqual([]);
      expect(back.get("classifier.weight")).toEqual(tensors.get("classifier.weight"));
      expect(bytes.subarray(0, 200).toString()).toContain(
        '"__metadata__":{"format":"pt","nasty.history":"made"}',
      );
    },
  );

  test("with an encoder only is refused", async () => {
    const { config, tensors } = tinyCheckpoint("bert", { vocabulary: 8, prefix: false });
    const source = await directory("source", { models: {}, config: { ...config, id2label: { ...labels } } });
    await writeFile(at("source", "model.safetensors"), serializeSafetensors(tensors));
    await expect(exportTagger(source, at("out"))).rejects.toMatchObject({
      code: "checkpoint",
      message: `exportTagger: ${at("source", "model.safetensors")}: tensor "classifier.weight": expected a row for each of the 3 labels of config.json, got no such tensor; fine-tune the encoder first`,
    });
  });
});

describe("several models", () => {
  test("become one directory, also in two steps", async () => {
    const source = await directory("source");
    const int8 = await carrying("int8.onnx", stored("int8"), source);
    expect((await exportTagger([source, int8], at("out"))).variants).toEqual(["fp32", "q8"]);
    expect((await json("out", "config.json"))["transformers.js_config"]).toBeUndefined();

    const four = await carrying("four.onnx", stored("uint4"), source);
    await exportTagger(four, at("steps"));
    expect((await json("steps", "config.json"))["transformers.js_config"]).toEqual({ dtype: "q4" });
    await writeFile(at("steps", "notes.md"), "mine");
    // What is in the folder already is not written again.
    expect((await exportTagger([at("steps"), source], at("steps"))).variants).toEqual(["fp32"]);
    expect(await tree("steps")).toEqual([
      "config.json",
      "notes.md",
      "onnx/model.onnx",
      "onnx/model_q4.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect((await json("steps", "config.json"))["transformers.js_config"]).toBeUndefined();
    await expect(exportTagger(at("steps"), at("steps"))).rejects.toThrow(
      "models: expected at least one that is not in the folder already, got fp32, q4",
    );
  });

  test("must differ in how they are stored", async () => {
    const source = await directory("source");
    const other = await carrying("other.onnx", float, source);
    await expect(exportTagger([source, other], at("out"))).rejects.toMatchObject({
      code: "option",
      message: `exportTagger: ${other}: dtype: expected a model that is not fp32 (model.onnx is ${at("source/onnx/model.onnx")}), got a second; leave one out`,
    });
  });

  test.each([
    ["labels", { config: { id2label: { 0: "O", 1: "B-LOC", 2: "I-LOC" } } }, "expected those of"],
    ["tokenizer-mismatch", { tokenizer: wordPiece(["a", "c", "b"]) }, "tokenizer: expected that of"],
    ["config", { config: { model_type: "electra" } }, "model_type: expected bert as in"],
  ] as const)("must have the same %s", async (code, options, message) => {
    const source = await directory("source");
    const other = await directory("other", {
      ...options,
      models: { "model_quantized.onnx": stored("int8") },
    });
    for (const run of [
      () => exportTagger([source, other], at("out")),
      // The folder that is written to counts too.
      () => exportTagger(other, source),
    ]) {
      await expect(run()).rejects.toMatchObject({
        code,
        message: expect.stringContaining("separate folder"),
      });
    }
    await expect(exportTagger([source, other], at("out"))).rejects.toThrow(message);
    expect(existsSync(at("out"))).toBe(false);
    expect(await tree("source")).not.toContain("onnx/model_quantized.onnx");
  });
});

describe("dtype", () => {
  test("is another name that fits the weights, and no other", async () => {
    const file = await carrying("a.onnx", stored("int8"), await directory("source"));
    expect((await exportTagger(file, at("out"), { dtype: "int8" })).variants).toEqual(["int8"]);
    expect((await json("out", "config.json"))["transformers.js_config"]).toEqual({ dtype: "int8" });
    await expect(exportTagger(file, at("out"), { dtype: "fp32" })).rejects.toMatchObject({
      code: "option",
      message: "exportTagger: dtype: expected q8 or int8 or uint8 for weights of 8 bits, got fp32",
    });
  });
});

describe("what transformers.js needs of a graph", () => {
  test("scores under another name are named logits", async () => {
    const graph = float.graph!;
    const renamed = copyMessage(float, {
      graph: copyMessage(graph, {
        node: graph.node.map((node) =>
          node.output[0] === "logits" ? copyMessage(node, { output: ["scores_of_labels"] }) : node,
        ),
        output: graph.output.map((output) => copyMessage(output, { name: "scores_of_labels" })),
      }),
    });
    await exportTagger(await directory("source", { models: { "model.onnx": renamed } }), at("out"));
    const written = await readModelFile(at("out/onnx/model.onnx"));
    expect(written.graph?.output.map(({ name }) => name)).toEqual(["logits"]);
    expect(await tagOne(at("out"), "fp32")).toEqual(expected);
  });

  test.each([
    [{ inputs: ["input_ids", "attention_mask", "position_ids"] as const }, 'input "position_ids"'],
    [
      { dtype: "int32" as const },
      'input "input_ids": expected input_ids, attention_mask, token_type_ids of type INT64',
    ],
  ])("inputs that it does not feed are refused", async (options, message) => {
    const model = tinyModel({ vocabulary: 8, labels: 3, ...options });
    const source = await directory("source", { models: { "model.onnx": model } });
    await expect(exportTagger(source, at("out"))).rejects.toMatchObject({
      code: "not-exportable",
      message: expect.stringContaining(message),
    });
    expect(existsSync(at("out"))).toBe(false);
  });

  test("weights of another model do not stay beside a new float32 model", async () => {
    const source = await directory("source");
    await exportTagger(await carrying("int8.onnx", stored("int8"), source), at("out"));
    await writeFile(at("out", "model.safetensors"), "of another");
    await expect(exportTagger(source, at("out"))).rejects.toMatchObject({
      code: "not-exportable",
      message: `exportTagger: ${at("out", "model.safetensors")}: expected no weights beside the new model.onnx that are not its own, got the file of another model; name another folder`,
    });
  });
});

test("the record is written with the hash of the file that was read", async () => {
  const source = await directory("source", {
    tokenizer: byteLevelBpe(),
    config: { vocab_size: 12, model_type: "roberta" },
    tokenizerConfig: { pad_token: "<pad>" },
    models: { "model.onnx": tinyModel({ vocabulary: 12, labels: 3 }) },
  });
  await exportTagger(source, at("out"), {
    record: (model, { sha256, variant }) => withMetadata(model, { "nasty.history": `${variant} ${sha256}` }),
  });
  const sha256 = createHash("sha256")
    .update(await readFile(at("source/onnx/model.onnx")))
    .digest("hex");
  expect(getMetadata(await readModelFile(at("out/onnx/model.onnx")), "nasty.history")).toBe(`fp32 ${sha256}`);
});
