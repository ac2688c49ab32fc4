import { join } from "node:path";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { afterAll, beforeAll, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { openModel } from "../../src/models/model.js";
import { estimate } from "../../src/quantization/estimate.js";
import { quantize } from "../../src/quantization/quantize.js";

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-estimate-test"));
  await writeTinyDirectory(join(folder, "pos"));
});
afterAll(() => remove());

test("sizes are those of the files that are written, to a hundredth", async () => {
  await using model = await openModel(join(folder, "pos"));
  const { sizes, parameters } = await estimate(model);
  const written = await quantize(model, { mode: "dynamic", output: join(folder, "int8.onnx") });
  expect(parameters).toBeGreaterThan(0);
  expect(Math.abs(sizes.int8.bytes / written.bytes - 1)).toBeLessThan(0.01);
  expect(sizes.float32.bytes).toBe(model.bytes);
  expect(sizes.int8.ratio).toBeCloseTo(model.bytes / sizes.int8.bytes, 12);
});

test("an unknown option is refused by name", async () => {
  await expect(estimate(join(folder, "pos"), { mode: "int4" } as object)).rejects.toThrow(
    /quantize estimate: mode: expected one of .*got an unknown option/,
  );
});
