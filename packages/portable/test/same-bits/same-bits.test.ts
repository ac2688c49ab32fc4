import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openModel } from "../../src/index.js";
import { expectAlike, reference } from "../against.js";
import { digestOfSamples } from "./digest.js";
import { samples } from "./sample-models.js";

/** What every engine and processor gives; scripts/processors/portable.mjs asks others for it. */
const expected = readFileSync(new URL("digest.txt", import.meta.url), "utf8").trim();

it("gives the bits that every other machine gives", async () => {
  expect(await digestOfSamples()).toBe(expected);
});

it("computes with the samples what ONNX Runtime does", async () => {
  for (const { name, model, feeds } of samples()) {
    const opened = await openModel(model);
    const got = opened.run(feeds);
    // The kernels that ONNX Runtime fuses are those that this engine follows; e²⁰ is large.
    for (const [output, value] of Object.entries(await reference(model, feeds)))
      expectAlike(got[output] as NonNullable<(typeof got)[string]>, value, {
        float: name === "network" ? 0.05 : 1e-4,
      });
    opened.close();
  }
});
