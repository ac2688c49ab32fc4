import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { computation } from "../model-contents.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const quantized = (output: string, ...args: string[]) =>
  shop.json(["quantize", "--model", "pos", "--output", output, ...args]);
const modelAt = (name: string): Promise<ModelProto> => readModelFile(shop.path(name));

describe("weights in blocks", () => {
  const blocks = async (name: string) =>
    (await modelAt(name)).graph?.node
      .filter(({ domain }) => domain === "com.microsoft")
      .map(({ opType }) => opType);

  test("--mode int4 and weight-only: smaller files that tag as before", async () => {
    const four = await quantized("four.onnx", "--mode", "int4");
    const eight = await quantized("eight.onnx", "--mode", "weight-only");
    expect(four).toMatchObject({ mode: "int4", method: "nearest" });
    expect(four.tensors[0]).toMatchObject({ dtype: "uint4", granularity: "per-block (axis 1, 32)" });
    expect(eight.tensors[0]).toMatchObject({ dtype: "uint8", granularity: "per-block (axis 1, 64)" });
    expect(four.output.bytes).toBeLessThan(eight.output.bytes);
    expect(await blocks("four.onnx")).toEqual(["GatherBlockQuantized", "MatMulNBits", "MatMulNBits"]);
    for (const model of ["four.onnx", "eight.onnx"]) {
      const { value } = await shop.json(["eval", "--model", model, "--test", "test.conllu"]);
      expect(value).toBe(1);
    }
  });

  test("every option changes the weights or the kernels, not only the record", async () => {
    const variants = [
      [],
      ["--block-size", "16"],
      ["--asymmetric"],
      ["--accuracy-level", "1"],
      ["--calibration", "test.conllu"],
      ["--calibration", "test.conllu", "--correct-biases"],
    ];
    const models = new Set<string>();
    for (const [index, args] of variants.entries()) {
      await quantized(`variant${index}.onnx`, "--mode", "int4", ...args);
      models.add(computation(await modelAt(`variant${index}.onnx`)));
    }
    expect(models.size).toBe(variants.length);
    // Blocks of these weights have nothing to clip: that mse rounds otherwise is tested where it is made.
    expect((await quantized("mse.onnx", "--mode", "int4", "--rounding", "mse")).method).toBe("mse");
  });

  test("one note says that 4 bits save no time", async () => {
    const { warnings } = await quantized("noted.onnx", "--mode", "int4");
    expect(warnings.filter((warning: string) => /not time|slower/.test(warning))).toHaveLength(1);
  });

  test("--target-size mixes bits under the size, or says that it cannot", async () => {
    const four = await quantized("four.onnx", "--mode", "int4");
    const target = four.output.bytes + 1000;
    const args = ["--calibration", "test.conllu", "--target-size"];
    const result = await quantized("mixed.onnx", ...args, `${target / 1000}kB`);
    expect(result.mode).toBe("mixed");
    expect(result.output.bytes).toBeLessThanOrEqual(target);
    expect(result.output.bytes).toBeGreaterThan(four.output.bytes);
    const message = await shop.refused(3, [
      "quantize",
      "--model",
      "pos",
      "--output",
      "no.onnx",
      ...args,
      "100",
    ]);
    expect(message).toContain("expected at most 100, got");
  });

  test("--migrate-outliers moves the outlier's range into the weights", async () => {
    const args = ["--calibration", "test.conllu", "--mode", "static"];
    await quantized("plain.onnx", ...args);
    const result = await quantized("even.onnx", ...args, "--migrate-outliers");
    expect(result.warnings.join()).toContain("--migrate-outliers: outlier channels of");
    expect(await shop.bytes("even.onnx")).not.toEqual(await shop.bytes("plain.onnx"));
  });

  test.each([
    [["--mode", "int4", "--rounding", "gptq"], "--rounding gptq: expected --calibration FILE"],
    [["--target-size", "5MB"], "--target-size: expected --calibration FILE"],
    [["--mode", "dynamic", "--block-size", "32"], "--block-size 32: expected --mode int4 or weight-only"],
    [["--mode", "int4", "--rounding", "mse", "--calibration", "test.conllu"], "expected no --calibration"],
    [["--mode", "int4", "--block-size", "48"], "expected 16, 32, 64, 128 or 256, got 48"],
    [["--time-budget", "5"], "--time-budget: expected --target-accuracy-loss"],
  ])("%s is refused", async (args, expected) => {
    const { code, stderr } = await shop.nasty(["quantize", "--model", "pos", "--output", "no.onnx", ...args]);
    expect(code, stderr).toBeGreaterThan(1);
    expect(stderr).toContain(expected);
  });
});
