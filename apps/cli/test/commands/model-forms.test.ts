import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { halfInside, oldModel, withFunctions } from "../model-forms.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("float16.onnx", halfInside("float16"));
  await shop.write("bfloat16.onnx", halfInside("bfloat16"));
  await shop.write("functions.onnx", withFunctions());
  await shop.write("old.onnx", oldModel());
  await shop.write("bomb.onnx", withFunctions(40));
});
afterAll(() => shop.remove());

const lifted = "was lifted to float32 (1 tensor): inputs and outputs keep their types, by a cast";
const forms: [file: string, weights: number, said: string][] = [
  ["float16.onnx", 1, `float16 ${lifted}`],
  ["bfloat16.onnx", 1, `bfloat16 ${lifted}`],
  ["functions.onnx", 2, "the calls of 1 model-local function were replaced by their operators"],
  ["old.onnx", 1, "operator set 4 was raised to 13: its operators have other forms now, and mean the same"],
];

describe("forms of models that people have", () => {
  it.each(forms)(
    "%s is quantized, checked against the original, and that is said",
    async (file, weights, said) => {
      const made = await shop.json(["quantize", "--model", file, "--output", "q.onnx"]);
      expect(made.tensors).toHaveLength(weights);
      expect(made.warnings).toContain(said);
      expect(made.audit).toMatchObject({ quantizedKernels: weights, floatMatMuls: 0 });
      expect(made.drift.inputs).toBe("made");
      expect(made.drift.outputs[0].cosine).toBeGreaterThan(0.999);
      const { stdout } = await shop.nasty(["quantize", "--model", file, "--dry-run"]);
      expect(stdout).toContain(said);
      const pruned = await shop.json(["prune", "--model", file, "--sparsity", "0.5", "--output", "p.onnx"]);
      expect(pruned.warnings).toContain(said);
      expect(pruned.sparsity).toBeCloseTo(0.5);
      const estimate = await shop.json(["quantize", "estimate", "--model", file]);
      expect(Math.abs(estimate.sizes.int8.bytes / made.output.bytes - 1)).toBeLessThan(0.01);
    },
  );

  it("are described as they are, functions by what is in them", async () => {
    const described = await shop.json(["inspect", "--model", "functions.onnx"]);
    expect(described).toMatchObject({ parameters: 512, functions: 1 });
    expect(described.ops.map(({ op }: { op: string }) => op)).toContain("MatMul");
    const half = await shop.json(["inspect", "--model", "float16.onnx"]);
    expect(half.precisions).toEqual([expect.objectContaining({ dtype: "float16" })]);
  });

  it("a file whose functions expand without bound is refused by every command, and nothing is written", async () => {
    const commands = [["quantize"], ["prune", "--sparsity", "0.5"], ["inspect"], ["quantize", "estimate"]];
    for (const command of commands) {
      const refused = await shop.refused(3, [...command, "--model", "bomb.onnx"]);
      expect(refused).toMatch(/function pkg\.torch\.Layer\d+: size: expected at most 200000 nodes/);
    }
  });
});
