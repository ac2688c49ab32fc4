import { describe, expect, it } from "vitest";
import { dynamic } from "../../src/index.js";
import { agreementDb, float, int64, matrix, model, node, ops } from "../tiny-models.js";
import { tensorToProto } from "@nasty/formats/onnx";

describe("weights that the graph computes from constants", () => {
  it("puts an LSTM's reordered gates together, as exporters of other frameworks need them", async () => {
    const reordered = (name: string) => [
      node("Slice", [name, "zero", "half"], [`${name}_a`]),
      node("Slice", [name, "half", "whole"], [`${name}_b`]),
      node("Concat", [`${name}_b`, `${name}_a`], [`${name}_c`], { attributes: { axis: 0 } }),
      node("Unsqueeze", [`${name}_c`, "zero"], [`${name}_u`]),
    ];
    const m = model({
      nodes: [
        ...reordered("W"),
        ...reordered("R"),
        node("LSTM", ["x", "W_u", "R_u"], ["", "y"], { name: "lstm", attributes: { hidden_size: 8 } }),
      ],
      initializers: [
        matrix("W", [32, 16]),
        matrix("R", [32, 8], 2),
        ...Object.entries({ zero: 0, half: 16, whole: 32 }).map(([name, value]) =>
          tensorToProto(int64([value]), name),
        ),
      ],
    });
    expect((await dynamic.plan(m)).tensors.map(({ shape }) => shape)).toEqual([
      [1, 32, 16],
      [1, 32, 8],
    ]);
    const quantized = await dynamic.quantize(m);
    expect(ops(quantized)).toEqual(["DynamicQuantizeLSTM"]);
    expect(await agreementDb(m, quantized, { x: float([5, 2, 16]) })).toBeGreaterThan(25);
  });
});
