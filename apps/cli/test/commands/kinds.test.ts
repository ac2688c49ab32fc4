import { afterAll, beforeAll, describe, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the package's tests
import { frames, writeVoice } from "../../../../packages/workflow/test/tiny-graph.js";
// @boundaries-ignore the tiny models are those of the package's tests
import { jsonLines, topicTexts, writeTextDirectory } from "../../../../packages/workflow/test/tiny-texts.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeTextDirectory(shop.path("topics"), "classifier");
  await writeTextDirectory(shop.path("encoder"), "encoder");
  await writeTextDirectory(shop.path("broken"), "encoder", { factor: 2 });
  await writeVoice(shop.path("voice.onnx"));
  await shop.write("topics.jsonl", jsonLines(topicTexts(40)));
  await shop.write("frames.jsonl", jsonLines(frames));
  await shop.write("bad.jsonl", `${jsonLines(frames.slice(0, 2))}{"input": [[1]], "state": [[1]]}\n`);
});
afterAll(() => shop.remove());

test("quantize, eval and compare say the figures of each kind", async () => {
  const made = await shop.nasty(["quantize", "--model", "encoder", "--output", "encoder_int8.onnx"]);
  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(
    /gate: recall@10 100\.00% -> \d+\.\d+%, loss \d\.\d+ of at most 2\.00 points: passed/,
  );
  expect(made.stdout).toMatch(/nearest neighbours kept \(recall@10\): \d+\.\d+%/);
  const measured = await shop.nasty(["eval", "--model", "topics", "--test", "topics.jsonl"]);
  expect(measured.stdout).toMatch(
    /^Accuracy: \d+\.\d+% {2}\(macro F1 \d+\.\d+%\)\n40 samples, one at a time\n/,
  );
  const graph = [
    "quantize",
    "--model",
    "voice.onnx",
    "--calibration",
    "frames.jsonl:20",
    "--max-drift",
    "0.02",
  ];
  const { gate, mode, batchMates } = await shop.json([
    ...graph,
    "--output",
    "voice_int8.onnx",
    "--report",
    "voice.html",
  ]);
  expect({ mode, batchMates }).toEqual({ mode: "static", batchMates: null });
  expect(gate).toMatchObject({ metric: "agreement", agreementOf: "cosine", passed: true, labelling: null });
  expect((await shop.bytes("voice.html")).toString()).toContain("Gate (cosine)");
  const pair = ["quantize", "eval", "--original", "voice.onnx", "--quantized", "voice_int8.onnx"];
  const side = await shop.nasty([...pair, "--test", "frames.jsonl", "--report", "side.html"]);
  expect(side.stdout).toMatch(/Agreement: \d+\.\d+%[^]*Answers changed: \d+\n {2}scores: cosine 0\.9\d+/);
});

describe("what is refused", () => {
  test("an agreement below the limit: exit code 4, with the figures for scripts", async () => {
    const pair = ["quantize", "eval", "--original", "voice.onnx", "--quantized", "voice_int8.onnx"];
    const { code, stderr, stdout } = await shop.nasty([...pair, "--max-drift", "0", "--json"]);
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ passed: false, maxDrift: 0 });
    expect(stderr).toMatch(/voice_int8\.onnx: drift: expected at most 0\.00% \(cosine\), got \d+\.\d+%/);
    const quantize = ["quantize", "--model", "voice.onnx", "--max-drift", "0", "--no-fallback"];
    await expect(shop.refused(4, [...quantize, "--output", "never.onnx"])).resolves.toMatch(
      /drift gate: expected a loss of at most 0\.00 points of cosine, got \d+\.\d+/,
    );
  });

  test("a file with one layer's scales doubled, without text or labels: the layer is named", async () => {
    const plant = ["quantize", "--model", "broken", "--output", "planted.onnx", "--max-drift", "1"];
    expect((await shop.nasty([...plant, "--min-cosine", "-1"])).code).toBe(0);
    const message = await shop.refused(4, [
      "quantize",
      "eval",
      "--original",
      "encoder",
      "--quantized",
      "planted.onnx",
    ]);
    expect(message).toMatch(
      /planted\.onnx: layer \/encoder\/MatMul \(MatMul\): expected values of the original's size/,
    );
  });

  test("inputs of another shape, by file, line and input", async () => {
    const message = await shop.refused(3, [
      "quantize",
      "--model",
      "voice.onnx",
      "--calibration",
      "bad.jsonl",
    ]);
    expect(message).toMatch(
      /read bad\.jsonl: line 3: input input: shape: expected float32 \[batch, 24\], got \[1, 1\]/,
    );
  });

  test("models of two kinds, and inputs beside text", async () => {
    const compare = ["quantize", "eval", "--original", "encoder", "--quantized", "topics"];
    expect(await shop.refused(2, compare)).toMatch(
      /topics: kind: expected feature-extraction as encoder, got sequence-classification/,
    );
    const mixed = [
      "--calibration",
      "frames.jsonl",
      "--validation",
      "test.conllu",
      "--target-accuracy-loss",
      "0.1",
    ];
    expect(await shop.refused(3, ["quantize", "--model", "pos", ...mixed])).toMatch(
      /read frames\.jsonl: expected text as test\.conllu, got inputs of the graph/,
    );
  });
});
