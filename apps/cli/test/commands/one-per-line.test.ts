import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("lines.txt", "The cat sat\nAda ran in Paris\nshe slept\n");
});
afterAll(() => shop.remove());

const quantize = ["quantize", "--model", "pos", "--output", "out.onnx", "--calibration"];

test("calibration text of one sentence a line", async () => {
  const joined = await shop.nasty([...quantize, "lines.txt:3"]);
  expect(joined.code).toBe(3);
  expect(joined.stderr).toContain("quantize: --calibration lines.txt: sentences: expected 3, got 1");
  expect((await shop.nasty([...quantize, "lines.txt:3", "--one-per-line"])).code).toBe(0);
});

test("a hint where most lines have no stop, on standard error", async () => {
  const hint = "most lines of lines.txt end without a stop";
  expect((await shop.nasty([...quantize, "lines.txt"])).stderr).toContain(hint);
  expect((await shop.nasty([...quantize, "lines.txt", "--one-per-line"])).stderr).not.toContain(hint);
});

test("the option needs plain text to act on", async () => {
  await shop.write("labelled.conllu", await shop.bytes("test.conllu"));
  expect(await shop.refused(3, [...quantize, "labelled.conllu", "--one-per-line"])).toContain(
    "read labelled.conllu: --one-per-line: expected plain text, got labelled text",
  );
  const without = ["quantize", "--model", "pos", "--output", "out.onnx", "--one-per-line"];
  expect(await shop.refused(2, without)).toContain("quantize: --one-per-line: expected --calibration FILE");
});
