import { createRequire } from "node:module";
import { collectRanges } from "@nasty/calibration";
import { afterEach, expect, it, vi } from "vitest";
import {
  correctBiases,
  dynamic,
  int4,
  int8,
  layerGroups,
  migrateOutliers,
  saturation,
  sensitivity,
} from "../../src/index.js";
import { batches, outlierModel } from "../outlier-model.js";

const { InferenceSession } = createRequire(new URL("../../../runtime/package.json", import.meta.url))(
  "onnxruntime-node",
) as { readonly InferenceSession: { create(...given: readonly unknown[]): Promise<unknown> } };

const m = outlierModel();
const calibrationData = batches();
const run = { calibrationData };
const full = await dynamic.plan(m, { pairs: "full" });
const nearest = await int4.plan(m, { rounding: "nearest" });
const table = await collectRanges(m, int8.activations(m), calibrationData);

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

// Six products read six activations: one session shows them all.
it.each<readonly [string, number, () => unknown]>([
  ["static quantization", 1, () => int8.quantize(m, run)],
  [
    "static quantization by a table",
    0,
    async () => {
      const plan = await int8.plan(m, { calibrationTable: table });
      return int8.apply(m, plan);
    },
  ],
  [
    "error compensation, with the product of vectors",
    2,
    () => int4.quantize(m, { ...run, rounding: "gptq" }),
  ],
  ["bias correction", 1, () => correctBiases(m, nearest, run)],
  ["outlier migration", 1, () => migrateOutliers(m, run)],
  ["saturation", 1, () => saturation(m, full, run)],
  ["saturation of no int8 weights", 0, () => saturation(m, nearest, run)],
  [
    "sensitivity, of which each group is a model",
    1 + layerGroups(full).length,
    () => sensitivity(m, full, { batches: calibrationData }),
  ],
])("sessions of %s: %d", async (_, count, step) => {
  vi.stubEnv("NASTY_ENGINE", "native");
  const create = vi.spyOn(InferenceSession, "create");
  await step();
  expect(create).toHaveBeenCalledTimes(count);
});
