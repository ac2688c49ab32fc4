import { serializeModel } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { apply, estimate, plan } from "../../src/index.js";
import { batches, outlierModel } from "../outlier-model.js";
import { agreementDb } from "../tiny-models.js";

const m = outlierModel();
const options = { batches: batches(), blockSize: 16 } as const;
const { sizes } = estimate(m, { int4: options });

async function made(targetBytes: number) {
  const planned = await plan(m, { ...options, mode: "mixed", targetBytes });
  const { model } = await apply(m, planned);
  return {
    planned,
    bytes: serializeModel(model).length,
    db: await agreementDb(m, model, batches()[0]!.feeds),
  };
}

describe("a plan under a size", () => {
  it("stays under the size and spends what it has where it helps most", async () => {
    const bytes = sizes.int4.bytes;
    const small = await made(bytes + 100);
    const middle = await made(bytes + 1500);
    const large = await made(sizes.float32.bytes + 1000);
    for (const [file, limit] of [
      [small, bytes + 100],
      [middle, bytes + 1500],
    ] as const) {
      expect(file.bytes).toBeLessThanOrEqual(limit);
    }
    expect(middle.db).toBeGreaterThan(small.db + 1);
    expect(large.db).toBeGreaterThan(middle.db);
    expect(new Set(middle.planned.tensors.map(({ dtype }) => dtype)).size).toBeGreaterThan(1);
    expect(middle.planned.mode).toBe("mixed");
  });

  it("refuses a size that no plan reaches", async () => {
    await expect(plan(m, { ...options, mode: "mixed", targetBytes: 1000 })).rejects.toMatchObject({
      code: "target-missed",
      message: expect.stringMatching(
        /^targetSize: model: bytes: expected at most 1000, got \d+ with the fewest bits/,
      ),
    });
  });
});
