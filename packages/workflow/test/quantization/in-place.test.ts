import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { serializeModel } from "@nasty/formats/onnx";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { loadForCompression } from "../../src/models/load-model.js";
import { quantizeOperation } from "../../src/operations/quantize.js";
import { fed } from "../../src/quantization/calibration-batches.js";
import { planQuantization } from "../../src/quantization/plan-quantization.js";
import { reporterOf } from "../../src/reporter.js";
import { settingsOf } from "../../src/schema/settings-of.js";

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-in-place-test"));
  await writeTinyDirectory(join(folder, "pos"));
});
afterAll(() => remove());

/** Plans and applies as `quantize` does, up to what it writes. */
async function quantized({ isShared }: { readonly isShared: boolean }) {
  const model = join(folder, "pos");
  const settings = settingsOf(quantizeOperation, { model, mode: "dynamic" });
  const loaded = { ...(await fed(await loadForCompression(model), settings)), isShared };
  const before = serializeModel(loaded.model);
  const read = () => Promise.reject(new Error("dynamic mode reads no text"));
  const planned = await planQuantization(loaded, { settings, read }, reporterOf({}));
  const { model: made } = await planned.apply(loaded);
  const file = loaded.model.graph?.initializer[0]?.rawData.buffer;
  const integers = made.graph?.initializer.filter(({ name, dims }) => name.endsWith("_q") && dims.length > 0);
  const inFile = (integers ?? []).map(({ rawData }) => rawData.buffer === file);
  return {
    inFile,
    made: serializeModel(made),
    isAsRead: Buffer.from(before).equals(serializeModel(loaded.model)),
  };
}

test("integers are written over the floats of a model that was read for this alone, and never of an open one", async () => {
  const [own, shared] = [await quantized({ isShared: false }), await quantized({ isShared: true })];
  expect(own.inFile.length).toBeGreaterThan(2);
  expect(new Set(own.inFile)).toEqual(new Set([true]));
  expect(new Set(shared.inFile)).toEqual(new Set([false]));
  expect(shared.isAsRead).toBe(true);
  expect(own.isAsRead).toBe(false);
  expect(Buffer.from(own.made).equals(shared.made)).toBe(true);
});
