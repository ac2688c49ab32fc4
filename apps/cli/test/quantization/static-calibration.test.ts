import { afterAll, beforeAll, expect, test } from "vitest";
import { observed } from "../observed.js";
import { writeTinyDirectory } from "../tiny-tagger.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeTinyDirectory(shop.path("short"), { loudPadding: true, length: 16 });
});
afterAll(() => shop.remove());

const calibration = ["--mode", "static", "--calibration", "test.conllu"];

test("a static quantization opens its model once and the written file once", async () => {
  const args = ["quantize", "--model", "pos", "--output", "static.onnx", ...calibration];
  const { sessions } = await observed(shop, [...args, "--save-calibration-table", "ranges.json"]);
  expect(sessions).toHaveLength(2);
  const again = ["quantize", "--model", "pos", "--output", "again.onnx", "--mode", "static"];
  const { sessions: known } = await observed(shop, [...again, "--calibration-table", "ranges.json"]);
  expect(known).toHaveLength(2);
});

test("padding never counts, also of a model that takes sentences of one length only", async () => {
  // The table itself holds the loud row.
  const args = [
    "quantize",
    "--model",
    "short",
    "--output",
    "short.onnx",
    "--skip-layers",
    "embedding.weight",
  ];
  await shop.json([...args, ...calibration, "--save-calibration-table", "short.json"]);
  const { tensors } = JSON.parse(String(await shop.bytes("short.json")));
  expect(tensors["words"].max).toBeLessThan(11);
  expect(tensors["words"].count).toBeGreaterThan(0);
  const { summary } = await shop.json([
    "quantize",
    "eval",
    "--original",
    "short",
    "--quantized",
    "short.onnx",
    "--test",
    "test.conllu",
  ]);
  expect(summary.flips).toBe(0);
});
