import * as ort from "onnxruntime-web/wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { openSession } from "../src/web.js";
import { bytesOf, float, linearModel, modelOf } from "./tiny-models.js";
import { makeNode } from "@nasty/formats/onnx";

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
});

describe("openSession on onnxruntime-web", () => {
  it("computes as the Node runtime does, through the same interface", async () => {
    for (const model of [bytesOf(linearModel()), linearModel()]) {
      const session = await openSession(model, { ort });
      expect(session.inputs).toEqual([{ name: "x", dtype: "float32", shape: ["batch", 4] }]);
      const { y } = await session.run({ x: float([1, 4], [1, 2, 3, 4]) });
      expect(y).toEqual(float([1, 3], [5, 2.5, 0]));
      await expect(session.run({})).rejects.toThrow("run: input x: not fed: expected x, got none");
      await session.close();
      await session.close();
    }
  });

  it("writes into the tensors that it is given", async () => {
    const session = await openSession(linearModel(), { ort });
    const out = float([1, 3], [9, 9, 9]);
    const { y } = await session.run({ x: float([1, 4], [1, 2, 3, 4]) }, ["y"], { out: { y: out } });
    expect(y).toBe(out);
    expect(out).toEqual(float([1, 3], [5, 2.5, 0]));
    const wrong = session.run({ x: float([1, 4], [1, 2, 3, 4]) }, ["y"], {
      out: { y: float([1, 2], [0, 0]) },
    });
    await expect(wrong).rejects.toMatchObject({ code: "run-failed" });
    await session.close();
  });

  it("reports a model that it cannot open", async () => {
    await expect(openSession(new TextEncoder().encode("text"), { ort })).rejects.toMatchObject({
      code: "not-a-model",
    });
    await expect(openSession(modelOf([makeNode("Tagify", ["x"], ["y"])], []), { ort })).rejects.toMatchObject(
      {
        code: "unsupported-operator",
        operator: "Tagify",
      },
    );
  });
});
