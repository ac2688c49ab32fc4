import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTinyDirectory } from "../tiny-tagger.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeTinyDirectory(shop.path("fragile"), { fragile: true });
  await Promise.all([
    shop.json(["quantize", "--model", "pos", "--output", "pos_int8.onnx"]),
    shop.json(["quantize", "--model", "fragile", "--output", "lossy.onnx"]),
  ]);
});
afterAll(() => shop.remove());

const compared = (quantized: string, ...args: string[]) => [
  ..."quantize eval --original pos --test test.conllu --quantized".split(" "),
  quantized,
  ...args,
];

test("the JSON document has the keys that scripts rely on", async () => {
  const result = await shop.json(compared("pos_int8.onnx"));
  const side = {
    metric: "accuracy",
    value: 1,
    modelBytes: expect.any(Number),
    memoryBytes: expect.any(Number),
    msPerSentence: expect.any(Number),
  };
  expect(result).toMatchObject({
    examples: 8,
    original: { ...side, precision: "Float32" },
    quantized: { ...side, precision: "INT8" },
    summary: { loss: 0, lossCi95: [0, 0], flips: 0 },
    batchMates: { sentences: 8, words: 53, flips: 0, paddedFlips: 0 },
  });
  const { original, quantized, summary } = result;
  expect(original.modelBytes).toBe((await shop.bytes("pos/onnx/model.onnx")).length);
  expect(summary.sizeRatio).toBeCloseTo(original.modelBytes / quantized.modelBytes, 12);
  expect(summary.speedup).toBeCloseTo(original.msPerSentence / quantized.msPerSentence, 12);
});

test("the layout for people is the guide's; --quiet says nothing else", async () => {
  const { stdout, stderr } = await shop.nasty(compared("pos_int8.onnx", "--quiet"));
  expect(stderr).toBe("");
  expect(stdout).toMatch(
    new RegExp(
      [
        "^Comparing models on 8 test examples:\n",
        "Original \\(Float32\\):",
        " {2}Accuracy: 100\\.00%",
        " {2}Size: [\\d.]+ kB",
        " {2}Memory: [\\d.]+ [kM]B",
        " {2}Avg inference: [\\d.]+ ms\n",
        "Quantized \\(INT8\\):",
        " {2}Accuracy: 100\\.00%",
        " {2}Size: [\\d.]+ kB",
        " {2}Memory: [\\d.]+ [kM]B",
        " {2}Avg inference: [\\d.]+ ms\n",
        "Summary:",
        " {2}Size reduction: [\\d.]+x",
        " {2}Speed improvement: [\\d.]+x",
        " {2}Accuracy loss: 0\\.00% \\(in points; 95% interval 0\\.00 to 0\\.00\\)",
        " {2}Labels changed: 0 of 53 words",
        " {2}Labels that depend on the batch: 0 of 53 words in batches of 32, 0 padded\n$",
      ].join("\n"),
    ),
  );
});

test("a loss is counted, each flip is written, and the seed moves the interval only", async () => {
  const [one, two] = await Promise.all([
    shop.json(compared("lossy.onnx", "--flips", "flips.tsv", "--seed", "1")),
    shop.json(compared("lossy.onnx", "--seed", "2")),
  ]);
  expect(one.summary.loss).toBeGreaterThan(0.5);
  expect(one.summary.loss).toBe(two.summary.loss);
  expect(one.summary.lossCi95).not.toEqual(two.summary.lossCi95);
  expect(one.summary.lossCi95[0]).toBeLessThan(one.summary.loss);
  const lines = (await shop.bytes("flips.tsv")).toString().trimEnd().split("\n");
  expect(lines[0]).toBe("sentence\tword\tform\tgold\toriginal\tquantized");
  expect(lines).toHaveLength(one.summary.flips + 1);
  expect(lines[1]).toMatch(/^1\t\d\t\w+\t(\w+)\t\1\t(?!\1)\w+$/);
});

test("--report writes a page with the changed words in their sentences", async () => {
  const { summary } = await shop.json(compared("lossy.onnx", "--report", "c.html"));
  const html = (await shop.bytes("c.html")).toString();
  expect(html.match(/<mark>/g)).toHaveLength(summary.flips);
  expect(html).toContain("<h1>Comparison with pos</h1>");
  expect(html).not.toContain(shop.folder);
});

test("two tasks cannot be compared, and --flips into a missing folder is refused before the work", async () => {
  const args = ["quantize", "eval", "--original", "pos", "--quantized", "ner", "--test", "test.conllu"];
  expect(await shop.refused(3, args)).toContain("task: expected pos as pos, got ner");
  expect(await shop.refused(3, compared("pos_int8.onnx", "--flips", "none/flips.tsv"))).toContain(
    "--flips none/flips.tsv: expected a folder none, got nothing there",
  );
});
