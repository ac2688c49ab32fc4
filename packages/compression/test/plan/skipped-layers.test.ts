import { describe, expect, it } from "vitest";
import { CompressionError } from "../../src/compression-error.js";
import { skippedBy } from "../../src/plan/skipped-layers.js";

const layers = [
  { names: ["/bert/encoder/layer.0/query/MatMul", "onnx::MatMul_1"] },
  { names: ["/bert/encoder/layer.1/query/MatMul", "onnx::MatMul_2"] },
  { names: ["/classifier/MatMul", "onnx::MatMul_3"] },
];

function which(...patterns: string[]): number[] {
  const found: number[] = [];
  for (const [index, pattern] of skippedBy(layers, patterns, "dynamic.plan").entries()) {
    if (pattern !== undefined) {
      found.push(index);
    }
  }
  return found;
}

describe("skippedBy", () => {
  it("says which pattern matched each layer", () => {
    expect(which("/classifier/MatMul")).toEqual([2]);
    expect(which("classifier", "query")).toEqual([0, 1, 2]);
  });

  it("refuses a pattern that matches nothing and names near ones", () => {
    try {
      which("clasifier");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CompressionError);
      expect((error as CompressionError).code).toBe("no-such-layer");
      expect((error as CompressionError).message).toMatch(
        /^dynamic.plan: skipLayers: clasifier: expected at least one matching layer, got none of 3 \(nearest: \/classifier\/MatMul/,
      );
    }
  });

  it("refuses a broken regular expression", () => {
    expect(() => which("/(/")).toThrow(/skipLayers: \/\(\/: expected a regular expression/);
  });
});
