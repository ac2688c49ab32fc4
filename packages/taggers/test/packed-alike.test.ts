import { gzipSync } from "node:zlib";
import { getMetadata, withMetadata } from "@nasty/formats/onnx";
import { expect, test } from "vitest";
import { readTaggerSettings, withTagger } from "../src/index.js";
import { packedAlike } from "../src/packed-alike.js";
import { packTokenizer } from "../src/transformer/compact-tokenizer.js";
import { parseTokenizerJson } from "../src/transformer/tokenizer-json.js";
import { tinyModel } from "./transformer/tiny-model.js";
import { wordPiece } from "./transformer/tiny-tokenizers.js";

const packed = (text: string, level: number): string => gzipSync(text, { level }).toString("base64");

test("entries are alike by what they hold, not by how they were packed", async () => {
  const text = "the dog saw the dog ".repeat(50);
  expect(packed(text, 1)).not.toBe(packed(text, 9));
  expect(await packedAlike(packed(text, 1), packed(text, 9))).toBe(true);
  expect(await packedAlike(packed(text, 9), packed(`${text}s`, 9))).toBe(false);
  expect(await packedAlike(packed(text, 9), "no base64 of gzip")).toBe(false);
});

test("withTagger keeps the bytes that another engine's compressor wrote, and replaces what is not the same", async () => {
  const content = parseTokenizerJson(wordPiece(["the", "dog", "saw"]));
  const own = await packTokenizer(content);
  const bytes = await new Response(
    new Blob([Buffer.from(own, "base64")]).stream().pipeThrough(new DecompressionStream("gzip")),
  ).text();
  const other = packed(bytes, 0);
  expect(other).not.toBe(own);
  const header = {
    schema: 1,
    kind: "transformer",
    task: "pos",
    labels: ["A", "B", "C"],
    padId: 0,
    positionOffset: 0,
    unkToken: "[UNK]",
    removeSpace: false,
    lowercaseAndRemoveAccent: false,
    maxPositions: 8,
  };
  const model = withMetadata(tinyModel({ vocabulary: 8, labels: 3 }), {
    "nasty.tagger": JSON.stringify({ ...header, vocabularySize: 8 }),
    "nasty.tokenizer": other,
  });
  const settings = await readTaggerSettings(model);
  if (settings === undefined) throw new Error("settings: expected some, got none");
  expect(getMetadata(await withTagger(model, settings), "nasty.tokenizer")).toBe(other);
  const stale = withMetadata(model, { "nasty.tokenizer": packed("{}", 9) });
  expect(getMetadata(await withTagger(stale, settings), "nasty.tokenizer")).toBe(own);
});
