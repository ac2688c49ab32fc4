import {
  dequantizeMatMulNBits,
  float16ToFloat32,
  float32ToFloat16,
  quantizeMatMulNBits,
  tensor,
} from "@nasty/core";
import { describe, expect, it } from "vitest";
import { channelRows, packBlobs, packZeroPoints } from "../../src/block-weights/block-layout.js";
import { clippedRanges, fullRange, quantizeRows } from "../../src/block-weights/quantize-rows.js";
import { noise } from "../tiny-models.js";

const [K, N] = [52, 9];

describe("quantizeRows", () => {
  for (const bits of [4, 8] as const) {
    for (const symmetric of [true, false]) {
      it(`rounds as the runtime's own quantizer: ${bits} bits, ${symmetric ? "" : "a"}symmetric`, () => {
        const weight = tensor("float32", [K, N], noise(K * N, 3));
        const blocks = Math.ceil(K / 16);
        const layout = {
          channels: N,
          length: K,
          blockSize: 16,
          blocks,
          bits,
          transposed: true,
          isTable: false,
        };
        const rows = quantizeRows(channelRows(weight, layout), { ...layout, symmetric, shrink: fullRange });
        const golden = quantizeMatMulNBits(weight, { blockSize: 16, symmetric, bits });
        expect(rows.scale).toEqual(golden.scales.data);
        expect(packBlobs(rows.data as Uint8Array, rows.zeroPoint, layout)).toEqual(golden.B.data);
        if (golden.zeroPoints) expect(packZeroPoints(rows.zeroPoint, layout)).toEqual(golden.zeroPoints.data);
        const back = dequantizeMatMulNBits(golden).data;
        const error = weight.data.reduce((sum, w, i) => sum + (w - (back[i] as number)) ** 2, 0);
        const signal = weight.data.reduce((sum, w) => sum + w * w, 0);
        expect(rows.sqnrDb).toBeCloseTo(10 * Math.log10(signal / error), 3);
      });
    }
  }

  it("loses less with clipped ranges, never more", () => {
    const values = noise(64 * 64, 5);
    const scheme = { channels: 64, length: 64, blockSize: 32, bits: 4, symmetric: true } as const;
    const nearest = quantizeRows(values, { ...scheme, shrink: fullRange });
    const clipped = quantizeRows(values, { ...scheme, shrink: clippedRanges });
    expect(clipped.sqnrDb).toBeGreaterThan(nearest.sqnrDb + 0.1);
  });

  it("rounds to the float16 scales that the file holds", () => {
    const values = noise(16 * 32, 7);
    const scheme = { channels: 16, length: 32, blockSize: 32, bits: 4, symmetric: true } as const;
    const full = quantizeRows(values, { ...scheme, shrink: fullRange });
    const half = quantizeRows(values, { ...scheme, shrink: fullRange, halfScales: true });
    expect(half.scale).toEqual(full.scale.map((scale) => float16ToFloat32(float32ToFloat16(scale))));
    expect(half.scale).not.toEqual(full.scale);
    expect(half.sqnrDb).toBeGreaterThan(full.sqnrDb - 0.1);
  });

  it("keeps zeros exact", () => {
    const { scale, data, zeroPoint, sqnrDb } = quantizeRows(new Float32Array(32), {
      channels: 1,
      length: 32,
      blockSize: 16,
      bits: 4,
      symmetric: true,
      shrink: clippedRanges,
    });
    expect([...scale]).toEqual([0, 0]);
    expect(data.every((q, i) => q === zeroPoint[i >> 4])).toBe(true);
    expect(sqnrDb).toBe(Number.POSITIVE_INFINITY);
  });
});
