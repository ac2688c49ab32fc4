import { afterAll, beforeAll, expect, test } from "vitest";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const base = ["quantize", "--model", "pos", "--output", "q.onnx"];

test("every written file is run beside its original: on made inputs, or on the text that is given", async () => {
  const made = await shop.json(base);
  expect(made.drift).toMatchObject({ inputs: "made", minCosine: 0.9 });
  expect(made.drift.outputs).toEqual([{ name: "logits", cosine: expect.any(Number), finite: true }]);
  expect(made.drift.outputs[0].cosine).toBeGreaterThan(0.99);
  const text = await shop.json([...base, "--calibration", "test.conllu"]);
  expect(text.drift).toMatchObject({ inputs: "text", minCosine: 0.9 });
  expect((await shop.json([...base, "--mode", "int4"])).drift.minCosine).toBe(0.8);
  // A model without labels or tokenizer too.
  await shop.write("bare.onnx", await shop.bytes("pos/onnx/model.onnx"));
  const bare: Json = await shop.json(["quantize", "--model", "bare.onnx", "--output", "b.onnx"]);
  expect(bare.drift).toMatchObject({ inputs: "made", outputs: [{ finite: true }] });
  const { stdout } = await shop.nasty(base);
  expect(stdout).toMatch(
    /outputs like the original's: cosine 0\.99\d\d or more on made inputs|cosine 1\.0000/,
  );
});

test("a file that drifted is refused with the node, and nothing is written", async () => {
  const refused = await shop.refused(4, [...base.slice(0, -1), "never.onnx", "--min-cosine", "1"]);
  expect(refused).toMatch(
    /quantize: pos: output logits: cosine similarity to the original: expected 1 or more, got \d\.\d+; values first depart at \w+ \S+ \(\d\.\d+\): leave it in float with --skip-layers/,
  );
});
