import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { observed } from "../observed.js";
import { writeTinyDirectory } from "../tiny-tagger.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeTinyDirectory(shop.path("fragile"), { fragile: true });
});
afterAll(() => shop.remove());

const quantize = (model: string, ...args: string[]) => [
  ..."quantize --output once.onnx --model".split(" "),
  model,
  ...args,
];
const calibration = ["--calibration", "test.conllu"];
const gate = (target: string) => ["--validation", "test.conllu", "--target-accuracy-loss", target];

/** Sessions, and how often the original was parsed. */
async function opened(model: string, ...args: string[]) {
  const { sessions, parsed } = await observed(shop, quantize(model, ...args));
  const { size } = await stat(shop.path(model, "onnx", "model.onnx"));
  return { sessions: sessions.length, parsed: parsed.filter((bytes) => bytes === size).length };
}

test("static with a gate: the model is parsed once, one session measures ranges and one runs the candidate", async () => {
  expect(await opened("pos", ...calibration, ...gate("0.01"))).toEqual({ sessions: 2, parsed: 1 });
});

test("static without a gate: the same", async () => {
  expect(await opened("pos", ...calibration)).toEqual({ sessions: 2, parsed: 1 });
});

test("dynamic with a gate: one session of the original, one of the candidate", async () => {
  expect(await opened("pos", ...gate("0.01"))).toEqual({ sessions: 2, parsed: 1 });
});

test("each candidate is opened once, however many the gate tries", async () => {
  const args = quantize("fragile", ...calibration, ...gate("0.01"), "--report", "once.html");
  const { files } = await observed(shop, args);
  const attempts = Number(/\((\d+) tried\)/.exec(String(await shop.bytes("once.html")))?.[1]);
  expect(attempts).toBeGreaterThan(1);
  const candidates = files.filter((path) => basename(path) === "once.onnx");
  expect(new Set(candidates).size).toBe(attempts);
  expect(candidates).toHaveLength(attempts);
});

test("eval parses a model once, a file or a directory", async () => {
  await shop.json(["quantize", "--model", "pos", "--output", "other.onnx"]);
  const sizes = await Promise.all(
    [shop.path("pos", "onnx", "model.onnx"), shop.path("other.onnx")].map(
      async (path) => (await stat(path)).size,
    ),
  );
  const parses = async (...args: string[]) => {
    const { parsed } = await observed(shop, args);
    return sizes.map((size) => parsed.filter((bytes) => bytes === size).length);
  };
  expect(await parses("eval", "--model", "pos", "--test", "test.conllu")).toEqual([1, 0]);
  expect(await parses("eval", "--model", "other.onnx", "--test", "test.conllu")).toEqual([0, 1]);
});
