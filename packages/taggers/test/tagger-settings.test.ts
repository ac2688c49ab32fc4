import { withMetadata } from "@nasty/formats/onnx";
import { expect, test } from "vitest";
import { readTaggerSettings } from "../src/index.js";
import { tinyModel } from "./transformer/tiny-model.js";

const header = { schema: 1, kind: "transformer", task: "pos", labels: ["X"], padId: 0, positionOffset: 0 };

test.each([
  ["{", "metadata nasty.tagger: expected JSON, got "],
  [JSON.stringify({ ...header, schema: 2 }), "metadata nasty.tagger: schema: expected 1, got 2"],
  [
    JSON.stringify({ ...header, kind: "magic" }),
    'metadata nasty.tagger: kind: expected ("transformer" | "neural"), got "magic"',
  ],
  [JSON.stringify({ ...header, labels: [] }), "metadata nasty.tagger: labels: expected >=1, got 0"],
  [
    JSON.stringify({ ...header, maxPositions: -1 }),
    "metadata nasty.tagger: maxPositions: expected >=0, got -1",
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
