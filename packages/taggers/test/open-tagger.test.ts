import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withTagger } from "../src/index.js";
import { findTagger, openTagger } from "../src/node.js";
import { tinyModel } from "./transformer/tiny-model.js";
import { wordPiece } from "./transformer/tiny-tokenizers.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "taggers-"));
});
afterEach(() => rm(folder, { recursive: true }));

const model = tinyModel({ vocabulary: 8, labels: 3 });

async function writeHf(path: string): Promise<void> {
  await mkdir(join(path, "onnx"), { recursive: true });
  await writeFile(
    join(path, "config.json"),
    JSON.stringify({
      model_type: "bert",
      id2label: { 0: "O", 1: "B-PER", 2: "I-PER" },
      max_position_embeddings: 32,
      vocab_size: 8,
    }),
  );
  await writeFile(join(path, "tokenizer.json"), JSON.stringify(wordPiece(["a", "b", "c"])));
  await writeFile(join(path, "tokenizer_config.json"), JSON.stringify({ pad_token: "[PAD]" }));
}

async function tagOne(path: string, variant?: string): Promise<readonly string[]> {
  const tagger = await openTagger(path, variant === undefined ? {} : { variant });
  expect(tagger.task).toBe("ner");
  try {
    for await (const labels of tagger.tag([["a", "b", "c"]])) return labels;
    return [];
  } finally {
    await tagger.close();
  }
}

// Ids 5, 6, 7 mod 3.
const EXPECTED = ["I-PER", "O", "B-PER"];

test("a Hugging Face directory, its variants, and bare model files inside it", async () => {
  await writeHf(folder);
  await writeModelFile(join(folder, "onnx", "model.onnx"), model);
  await writeModelFile(join(folder, "onnx", "model_quantized.onnx"), model);
  expect(await tagOne(folder)).toEqual(EXPECTED);
  expect(await tagOne(folder, "q8")).toEqual(EXPECTED);
  expect((await findTagger(folder, { variant: "q8" })).modelPath).toBe(
    join(folder, "onnx", "model_quantized.onnx"),
  );
  expect(await tagOne(join(folder, "onnx", "model.onnx"))).toEqual(EXPECTED);
  await expect(openTagger(folder, { variant: "q4" })).rejects.toMatchObject({ code: "not-found" });
  await expect(openTagger(folder, { variant: "Q8" })).rejects.toMatchObject({
    message: expect.stringContaining("openTagger: variant: expected one of fp32, fp16, q8"),
  });
});

test("a model file that carries its tagger needs nothing beside it", async () => {
  await writeHf(join(folder, "hf"));
  await writeModelFile(join(folder, "hf", "model.onnx"), model);
  const { settings } = await findTagger(join(folder, "hf"));
  await mkdir(join(folder, "elsewhere", "deep"), { recursive: true });
  const path = join(folder, "elsewhere", "deep", "tagger.onnx");
  await writeModelFile(path, await withTagger(model, settings));
  expect(await tagOne(path)).toEqual(EXPECTED);
});

test("a bare model file with nothing beside it: the error says what to do", async () => {
  await mkdir(join(folder, "a", "b"), { recursive: true });
  const path = join(folder, "a", "b", "bare.onnx");
  await writeModelFile(path, model);
  await expect(openTagger(path)).rejects.toMatchObject({
    code: "tokenizer-missing",
    kind: "input",
    message: expect.stringMatching(
      /^openTagger: .*bare\.onnx: tagger: expected nasty\.tagger metadata .* give the model's Hugging Face directory/,
    ),
  });
});
