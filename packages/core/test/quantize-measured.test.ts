import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Granularity,
  parametersOf,
  perChannel,
  perTensor,
  quantizationSqnrDb,
  quantizeLinear,
  quantizeMeasured,
  type QuantizationScheme,
  tensor,
} from "../src/index.js";

const schemes: QuantizationScheme[] = [
  { dtype: "int8", symmetric: true },
  { dtype: "int8", symmetric: true, reduceRange: true },
  { dtype: "int8", symmetric: false },
  { dtype: "uint8", symmetric: false },
  { dtype: "int4", symmetric: true },
];
const granularities: Granularity[] = [perTensor, perChannel(0), perChannel(1)];

describe("quantizeMeasured", () => {
  it("gives the integers and the ratio of the two separate functions", () => {
    const values = fc.float({ min: -8, max: 8, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(values, { minLength: 12, maxLength: 12 }),
        fc.constantFrom(...schemes),
        fc.constantFrom(...granularities),
        (data, scheme, granularity) => {
          const x = tensor("float32", [3, 4], Float32Array.from(data));
          const p = parametersOf(x, scheme, granularity);
          const { quantized, sqnrDb } = quantizeMeasured(x, p);
          expect(quantized).toEqual(quantizeLinear(x, p));
          expect(sqnrDb).toBeCloseTo(quantizationSqnrDb(x, quantized, p), 9);
        },
      ),
    );
  });

  // 128 is the first integer beyond the range.
  const saturating = granularities.flatMap((granularity) => [
    [granularity, [1, 128, 3, 2], [1, 127, 3, 2]] as const,
    [granularity, [1, -300, 128, 2], [1, -128, 127, 2]] as const,
  ]);

  it.each(saturating)("saturates like quantizeLinear: %j of %j is %j", (granularity, values, expected) => {
    const x = tensor("float32", [1, 4], Float32Array.from(values));
    const groups = granularity.kind === "per-channel" && granularity.axis === 1 ? 4 : 1;
    const p = {
      dtype: "int8",
      granularity,
      scale: new Float32Array(groups).fill(1),
      zeroPoint: new Int32Array(groups),
    } as const;
    const { quantized, sqnrDb } = quantizeMeasured(x, p);
    expect([...quantized.data]).toEqual(expected);
    expect(sqnrDb).toBeCloseTo(quantizationSqnrDb(x, quantized, p), 12);
  });

  it("refuses NaN with its position", () => {
    const x = tensor("float32", [2], Float32Array.of(0.5, Number.NaN));
    const p = {
      dtype: "int8",
      granularity: perTensor,
      scale: Float32Array.of(1),
      zeroPoint: Int32Array.of(0),
    } as const;
    expect(() => quantizeMeasured(x, p)).toThrow(
      /quantizeLinear: element 1: value: expected a number, got NaN/,
    );
  });

  it.each(schemes)("makes signed 8 bits in the room it is given, others in their own: %j", (scheme) => {
    const x = tensor("float32", [2, 3], Float32Array.of(1, -2, 3, 4, -5, 6));
    const p = parametersOf(x, scheme, perTensor);
    const out = new Int8Array(8).fill(99);
    const { quantized, sqnrDb } = quantizeMeasured(x, p, { out });
    expect({ quantized, sqnrDb }).toEqual(quantizeMeasured(x, p));
    const isInRoom = scheme.dtype === "int8" && scheme.symmetric;
    expect((quantized.data as Int8Array).buffer === out.buffer).toBe(isInRoom);
    expect([...out.subarray(6)]).toEqual([99, 99]);
    expect(() => quantizeMeasured(x, p, { out: new Int8Array(5) })).toThrow(
      "quantizeMeasured: out: length: expected at least 6, got 5",
    );
  });
});
