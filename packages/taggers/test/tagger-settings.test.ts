import { withMetadata } from "@nasty/formats/onnx";
import { expect, test } from "vitest";
import { readTaggerSettings } from "../src/index.js";
import { packTokenizer } from "../src/transformer/compact-tokenizer.js";
import { parseTokenizerJson } from "../src/transformer/tokenizer-json.js";
import { tinyModel } from "./transformer/tiny-model.js";
import { wordPiece } from "./transformer/tiny-tokenizers.js";

const header = { schema: 1, kind: "transformer", task: "pos", labels: ["X"], padId: 0, positionOffset: 0 };

test.each([
  ["{", "metadata nasty.tagger: expected JSON, got "],
  [JSON.stringify({ ...header, schema: 2 }), "metadata nasty.tagger: schema: expected 1, got 2"],
  [
    JSON.stringify({ ...header, kind: "magic" }),
    'metadata nasty.tagger: kind: expected ("transformer" | "neural" | "sequence"), got "magic"',
  ],
  [JSON.stringify({ ...header, labels: [] }), "metadata nasty.tagger: labels: expected >=1, got 0"],
  [
    JSON.stringify({ ...header, maxPositions: -1 }),
    "metadata nasty.tagger: maxPositions: expected >=0, got -1",
  ],
  [
    JSON.stringify({ ...header, language: "no tag" }),
    "metadata nasty.tagger: language: expected a BCP 47 tag such as da, got",
  ],
  [JSON.stringify(header), "metadata nasty.tokenizer: expected a packed tokenizer, got no such entry"],
])("damaged metadata %j is named", async (text, message) => {
  const model = withMetadata(tinyModel({ vocabulary: 8, labels: 1 }), { "nasty.tagger": text });
  await expect(readTaggerSettings(model)).rejects.toMatchObject({
    code: "metadata",
    kind: "input",
    message: expect.stringContaining(message),
  });
});

test.each([
  ["[", "metadata nasty.huggingface: expected JSON, got "],
  [
    JSON.stringify({ schema: 1, config: 3, tokenizerConfig: {} }),
    "metadata nasty.huggingface: config: expected Object, got 3",
  ],
])("damaged files of a Hugging Face directory %j are named", async (text, message) => {
  const bare = tinyModel({ vocabulary: 8, labels: 3 });
  const tokenizer = await packTokenizer(parseTokenizerJson(wordPiece(["a"])));
  const model = withMetadata(bare, {
    "nasty.tagger": JSON.stringify(header),
    "nasty.tokenizer": tokenizer,
    "nasty.huggingface": text,
  });
  await expect(readTaggerSettings(model)).rejects.toMatchObject({
    code: "metadata",
    message: expect.stringContaining(message),
  });
});
