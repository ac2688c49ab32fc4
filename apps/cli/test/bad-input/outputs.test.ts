import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("train.conllu", await shop.bytes("test.conllu"));
  await shop.write("text.txt", "The cat sat .\n");
});
afterAll(() => shop.remove());

describe("nothing that is read is overwritten", () => {
  const model = "pos/onnx/model.onnx";
  test.each([
    ["train", "train.conllu", "--task pos --train train.conllu --validation test.conllu --output"],
    ["train", "test.conllu", "--task pos --train train.conllu --validation test.conllu --output"],
    [
      "distill",
      "train.conllu",
      "--teacher pos --student cnn --train train.conllu --validation test.conllu --output",
    ],
    ["distill", model, "--teacher pos --student cnn --train train.conllu --validation test.conllu --output"],
    ["prune", model, "--model pos --sparsity 0.1 --output"],
    [
      "prune",
      "test.conllu",
      "--model pos --sparsity 0.1 --train train.conllu --validation test.conllu --output",
    ],
    ["quantize", model, "--model pos --output"],
    ["quantize", "test.conllu", "--model pos --calibration test.conllu --output q.onnx --report"],
    ["quantize", "test.conllu", "--model pos --output q.onnx --validation test.conllu --flips"],
    [
      "quantize",
      "pos/config.json",
      "--model pos --calibration test.conllu --output q.onnx --save-calibration-table",
    ],
  ])("%s: %s", async (command, target, args) => {
    const message = await shop.refused(2, [command, ...args.split(" "), target]);
    expect(message).toMatch(/--[a-z-]+ \S+: expected another file than an input, got /);
    expect(message).toContain(target);
  });

  test("quantize eval", async () => {
    const args = [
      "--original",
      "pos",
      "--quantized",
      "pos",
      "--test",
      "test.conllu",
      "--flips",
      "test.conllu",
    ];
    expect(await shop.refused(2, ["quantize", "eval", ...args])).toContain(
      "--flips test.conllu: expected another",
    );
    const report = [...args.slice(0, -2), "--report", "pos/config.json"];
    expect(await shop.refused(2, ["quantize", "eval", ...report])).toContain(
      "--report pos/config.json: expected another",
    );
  });

  test("benchmark", async () => {
    const args = "benchmark --model pos --data test.conllu --report test.conllu".split(" ");
    expect(await shop.refused(2, args)).toContain(
      "--report test.conllu: expected another file than an input",
    );
  });
});

test.each([["--report"], ["--flips"], ["--save-calibration-table"]])(
  "%s is another file than the model",
  async (option) => {
    const args =
      "--model pos --calibration test.conllu --validation test.conllu --sensitivity --output out.onnx";
    expect(await shop.refused(2, ["quantize", ...args.split(" "), option, "out.onnx"])).toContain(
      `${option} out.onnx: expected another file than --output's, got the same`,
    );
  },
);

describe("options that would do nothing", () => {
  test("--no-fallback without a gate", async () => {
    expect(await shop.refused(2, ["quantize", "--model", "pos", "--no-fallback"])).toContain(
      "--no-fallback: expected --target-accuracy-loss or --max-drift to refuse by, got none",
    );
  });

  test.each([["--epochs"], ["--batch-size"], ["--learning-rate"]])(
    "prune %s without --train",
    async (option) => {
      expect(await shop.refused(2, ["prune", "--model", "pos", "--sparsity", "0.1", option, "3"])).toContain(
        `prune: ${option}: expected --train with it, got none`,
      );
    },
  );

  test.each([
    ["fine-tune", "--model pos --task pos"],
    ["distill", "--teacher pos"],
  ])("%s --patience without --validation", async (command, args) => {
    const more = "--train train.conllu --output tuned --patience 2".split(" ");
    expect(await shop.refused(2, [command, ...args.split(" "), ...more])).toContain(
      "--patience: expected --validation to find the best epoch on, got none",
    );
  });

  test("prune without saying what", async () => {
    expect(await shop.refused(2, ["prune", "--model", "pos"])).toContain(
      "prune: expected --sparsity, --heads, --neurons, --layers or --vocabulary, got none",
    );
    expect(await shop.refused(2, ["prune", "--model", "pos", "--structured"])).toContain(
      "--structured: expected --sparsity, --heads or --neurons with it, got none",
    );
  });
});

test("the report of a recipe is not its text or the recipe", async () => {
  await shop.write("r.yaml", "model: pos\ndata: { test: test.conllu }\nsteps:\n  - compress\n");
  for (const report of ["r.yaml", "test.conllu"]) {
    expect(await shop.refused(2, ["pipeline", "r.yaml", "--report", report])).toContain(
      `--report ${report}: expected another file than an input, got `,
    );
  }
});

describe("a recipe that is none", () => {
  test("a folder is named", async () => {
    expect(await shop.refused(3, ["pipeline", "pos"])).toContain(
      "pipeline: pos: expected a recipe, got a folder",
    );
  });
});
