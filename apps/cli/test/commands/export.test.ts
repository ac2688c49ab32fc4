import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { TensorProto_DataType, withMetadata } from "@nasty/formats/onnx";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";
import { posInt8 } from "@nasty/model-en";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tinyModel } from "../tiny-tagger.js";
import { openWorkshop, type Json, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.json(["quantize", "--model", "pos", "--output", "int8.onnx"]);
  await shop.json(["quantize", "--model", "pos", "--mode", "int4", "--output", "int4.onnx"]);
});
afterAll(() => shop.remove());

const files = async (folder: string): Promise<string[]> =>
  (await readdir(shop.path(folder), { recursive: true })).toSorted();
const config = async (folder: string): Promise<Json> =>
  JSON.parse(await readFile(shop.path(folder, "config.json"), "utf8"));
const sha256 = async (name: string): Promise<string> =>
  createHash("sha256")
    .update(await shop.bytes(name))
    .digest("hex");

describe.concurrent("nasty export", () => {
  test("makes a directory of a model file alone, and says how it was made", async () => {
    // Elsewhere, so that nothing lies beside it.
    await mkdir(shop.path("alone"));
    await cp(shop.path("int8.onnx"), shop.path("alone/pos.onnx"));
    const exported = await shop.json(["export", "--model", "alone/pos.onnx", "--output", "from-file"]);
    expect(exported).toMatchObject({
      models: ["alone/pos.onnx"],
      modelType: "bert",
      variants: ["q8"],
      output: { path: shop.path("from-file") },
    });
    expect(await files("from-file")).toEqual([
      "config.json",
      "onnx",
      "onnx/model_quantized.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(exported.output.files["onnx/model_quantized.onnx"].sha256).toBe(
      await sha256("from-file/onnx/model_quantized.onnx"),
    );
    expect(await config("from-file")).toMatchObject({
      model_type: "bert",
      max_position_embeddings: 64,
      "transformers.js_config": { dtype: "q8" },
    });
    const [file, directory] = [
      await shop.json(["eval", "--model", "alone/pos.onnx", "--test", "test.conllu"]),
      await shop.json(["eval", "--model", "from-file", "--test", "test.conllu"]),
    ];
    expect(directory.value).toBe(file.value);
    const { history } = await shop.json(["inspect", "--model", "from-file"]);
    expect(history).toMatchObject([
      { step: "quantize", inputSha256: await sha256("pos/onnx/model.onnx") },
      { step: "export", options: { dtype: "q8" }, inputSha256: await sha256("alone/pos.onnx") },
    ]);
  });

  test("merges models into one directory", async () => {
    const models = ["pos", "int8.onnx", "int4.onnx"].flatMap((model) => ["--model", model]);
    const { variants } = await shop.json(["export", ...models, "--output", "merged"]);
    expect(variants).toEqual(["fp32", "q8", "q4"]);
    expect(await config("merged")).not.toHaveProperty("transformers.js_config");
    const inspected = await shop.json(["inspect", "--model", "merged"]);
    expect(
      inspected.files.map(({ variant, history }: Json) => [
        variant,
        ...history.map(({ step }: Json) => step),
      ]),
    ).toEqual([
      ["fp32", "export"],
      ["q8", "quantize", "export"],
      ["q4", "quantize", "export"],
    ]);
    const { stdout } = await shop.nasty(["inspect", "--model", "merged"]);
    expect(stdout).toMatch(
      /onnx\/model_quantized\.onnx \(q8\): .*\nHistory, oldest step first:\n {2}1\. quantize: mode dynamic/,
    );

    const one = await shop.json(["export", "--model", "merged", "--dtype", "q8", "--output", "one"]);
    expect(one.variants).toEqual(["q8"]);
    expect(await files("one")).not.toContain("onnx/model.onnx");
  });

  test("4 bits are q4, also if the scales of a large table are stored in 16 bits", async () => {
    await cp(shop.path("pos"), shop.path("large"), { recursive: true });
    await writeModelFile(shop.path("large/onnx/model.onnx"), tinyModel({ rows: 512 }));
    await shop.json(["quantize", "--model", "large", "--mode", "int4", "--output", "large4.onnx"]);
    const { graph } = await readModelFile(shop.path("large4.onnx"));
    const scale = graph?.initializer.find(({ name }) => name === "embedding.weight_scale");
    expect(scale).toMatchObject({ dataType: TensorProto_DataType.FLOAT16, dims: [512n, 2n] });
    const { variants } = await shop.json(["export", "--model", "large4.onnx", "--output", "large-export"]);
    expect(variants).toEqual(["q4"]);
    expect(await files("large-export")).toContain("onnx/model_q4.onnx");
    const q4f16 = ["--model", "large4.onnx", "--dtype", "q4f16", "--output", "not-half"];
    const { code, stderr } = await shop.nasty(["export", ...q4f16]);
    expect(code).toBe(3);
    expect(stderr).toContain("dtype: expected q4 or bnb4 for weights of 4 bits, got q4f16");
  });

  test("takes the family of an old file from --model-type", async () => {
    const old = withMetadata(await readModelFile(shop.path("int8.onnx")), { "nasty.huggingface": undefined });
    await mkdir(shop.path("old"));
    await writeModelFile(shop.path("old/pos.onnx"), old);
    const { code, stderr } = await shop.nasty(["export", "--model", "old/pos.onnx", "--output", "none/deep"]);
    expect(code, stderr).toBe(3);
    expect(stderr).toContain(
      "model_type: expected the family of the model (bert, roberta, …) in the file, got none",
    );
    expect(await readdir(shop.folder)).not.toContain("none");
    const args = ["export", "--model", "old/pos.onnx", "--output", "typed", "--model-type", "electra"];
    expect(await shop.json(args)).toMatchObject({ modelType: "electra" });
    expect(await config("typed")).toMatchObject({ model_type: "electra" });
  });
});

describe("nasty export --target module", () => {
  const toModule = ["export", "--target", "module", "--model"];

  test("writes a module that tags, beside its types and kernels", async () => {
    await mkdir(shop.path("modules"));
    const output = ["--output", "modules/pos.js"];
    const exported = await shop.json([...toModule, fileURLToPath(posInt8), ...output]);
    expect(exported).toMatchObject({
      kind: "module",
      task: "pos",
      output: { path: shop.path("modules/pos.js") },
    });
    expect(await files("modules")).toEqual(["pos.d.ts", "pos.js", "pos.wasm"]);
    expect(exported.output.files["pos.js"].sha256).toBe(await sha256("modules/pos.js"));
    const { tag } = (await import(exported.output.path)) as Json;
    const [{ words }] = await tag("Time flies like an arrow.");
    expect(words.map(({ label }: Json) => label)).toEqual(["NOUN", "VERB", "ADP", "DET", "NOUN", "PUNCT"]);
    const { stdout } = await shop.nasty([...toModule, "int8.onnx", ...output]);
    expect(stdout).toMatch(
      /^Wrote .*pos\.js \(.*\): a module that tags parts of speech, \d+ labels\n {2}pos\.wasm {2}.*The written module gave the model's labels for \d+ words\.\n$/s,
    );
  });

  test("refuses wrong usage and unusable models, and writes nothing", async () => {
    expect(await shop.refused(2, [...toModule, "pos", "--output", "folder"])).toContain(
      "ends in .js or .mjs",
    );
    expect(await shop.refused(2, [...toModule, "pos", "--model", "ner", "--output", "two.js"])).toContain(
      "--model: expected one model, got 2",
    );
    expect(await shop.refused(3, [...toModule, "test.conllu", "--output", "text.js"])).toContain(
      "test.conllu",
    );
    expect(await shop.refused(3, [...toModule, "pos", "--output", "test.conllu/pos.js"])).toContain(
      "expected a folder",
    );
  });
});

describe("nasty export refuses", () => {
  test("a tagger of whole words, and says what to do", async () => {
    const model = fileURLToPath(posInt8);
    expect(await shop.refused(3, ["export", "--model", model, "--output", "words"])).toContain(
      "expected a transformer with a subword tokenizer, got a neural tagger of whole words, for which a Hugging Face directory has no place; ship the model file itself",
    );
  });

  test("labels that differ, an output that is a file, options that say nothing", async () => {
    const both = ["--model", "int8.onnx", "--model", "ner"];
    expect(await shop.refused(3, ["export", ...both, "--output", "mixed"])).toContain(
      "labels: expected those of int8.onnx",
    );
    expect(await shop.refused(3, ["export", "--model", "pos", "--output", "test.conllu"])).toContain(
      "expected a folder, got a file",
    );
    expect(await shop.refused(2, ["export", ...both, "--dtype", "q8", "--output", "x"])).toContain(
      "export: --dtype q8: expected one --model with it, got 2",
    );
    expect(
      await shop.refused(3, ["export", "--model", "int8.onnx", "--dtype", "fp32", "--output", "x"]),
    ).toContain("dtype: expected q8 or int8 or uint8 for weights of 8 bits, got fp32");
    expect(await shop.refused(2, ["export", "--output", "x"])).toContain("--model");
  });
});
