import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { dynamic } from "../../src/index.js";
import { float, linear } from "../tiny-models.js";

it("saves, loads and predicts as the guide's calls do; a model in memory needs no file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nasty-compression-"));
  try {
    const quantized = await dynamic.quantize(linear());
    const path = join(folder, "tiny_dynamic.onnx");
    expect((await dynamic.save(quantized, path)).bytes).toBeGreaterThan(400);
    const [fromFile, fromMemory] = [await dynamic.load(path), await dynamic.load(quantized)];
    const feeds = { x: float([1, 3, 16]) };
    expect(await dynamic.predict(fromFile, feeds)).toEqual(await dynamic.predict(fromMemory, feeds));
    await Promise.all([fromFile.close(), fromMemory.close()]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
