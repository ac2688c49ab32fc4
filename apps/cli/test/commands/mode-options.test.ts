import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modeOptions } from "@nasty/workflow/quantization";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const text = ["--calibration", "test.conllu"];
/** How each option of the table is given so that it matters, and what it needs beside it. */
const given: Readonly<Record<string, readonly string[]>> = {
  "--method": ["--method", "mse"],
  "--save-calibration-table": ["--save-calibration-table", "saved.json"],
  "--calibration-table": ["--calibration-table", "ranges.json"],
  "--activations": ["--activations", "symmetric"],
  "--block-size": ["--block-size", "128"],
  "--rounding": ["--rounding", "mse"],
  "--accuracy-level": ["--accuracy-level", "1"],
  "--no-per-channel": ["--no-per-channel"],
  "--reduce-range": ["--reduce-range"],
  "--pairs": ["--pairs", "full"],
  "--op-types": ["--op-types", "Gather"],
};
const modes = {
  static: [...text, "--mode", "static"],
  dynamic: ["--mode", "dynamic"],
  int4: ["--mode", "int4"],
  "weight-only": ["--mode", "weight-only"],
  mixed: [...text, "--target-size", "16kB"],
} as const;

describe("every option of the table", () => {
  test("is tried", () => {
    expect(modeOptions.map(({ option }) => option).sort()).toEqual(Object.keys(given).sort());
  });

  const cases = modeOptions.flatMap((row) =>
    Object.keys(modes).map((mode) => [row.option, mode as keyof typeof modes, row] as const),
  );
  test.each(cases)("%s acts in mode %s, or is refused", async (option, mode, row) => {
    const args = [...modes[mode], ...(given[option] as readonly string[])];
    const wanted = row.modes.includes(mode) && row.ofLstms?.includes(mode) !== true;
    const name = `${option}-${mode}`.replace(/-+/g, "_");
    const base = ["quantize", "--model", "pos", "--output", `${name}.onnx`];
    if (!wanted) {
      expect(await shop.refused(2, [...base, ...args])).toContain(`quantize: ${given[option]?.[0]}`);
      return;
    }
    if (option === "--calibration-table" || option === "--save-calibration-table") return;
    const plain = await shop.json([
      "quantize",
      "--model",
      "pos",
      "--output",
      `${name}_plain.onnx`,
      ...modes[mode],
    ]);
    const changed = await shop.json([...base, ...args]);
    expect(changed.output.sha256).not.toBe(plain.output.sha256);
  });
});
