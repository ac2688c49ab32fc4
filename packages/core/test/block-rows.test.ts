import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BlockScheme,
  clippedRanges,
  float16ToFloat32,
  float32ToFloat16,
  fullRange,
  hasHalfScales,
  packBlocks,
  packBlockZeroPoints,
  quantizeBlockRows,
  roundHalfAway,
  seededRandom,
  transposeMatrix,
} from "../src/index.js";
import { caught } from "./caught.js";

/** Seeded near-normal values. */
const noise = (count: number, seed: number): Float32Array => {
  const random = seededRandom(seed);
  const uniform = (): number => random.below(2 ** 20) / 2 ** 20;
  return Float32Array.from({ length: count }, () => uniform() + uniform() + uniform() + uniform() - 2);
};

describe("quantizeBlockRows", () => {
  for (const bits of [4, 8] as const) {
    for (const symmetric of [true, false]) {
      it(`equals the formulas, element by element: ${bits} bits, ${symmetric ? "" : "a"}symmetric`, () => {
        const f = Math.fround;
        const top = 2 ** bits - 1;
        const shape = { channels: 9, length: 52, blockSize: 16, bits } as const;
        const rows = noise(9 * 52, 3);
        const found = quantizeBlockRows(rows, { ...shape, symmetric, shrink: fullRange });
        let [signal, noisePower] = [0, 0];
        for (let channel = 0; channel < 9; channel++) {
          for (let block = 0; block < 4; block++) {
            const from = channel * 52 + block * 16;
            const values = rows.subarray(from, Math.min(from + 16, (channel + 1) * 52));
            const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
            const scale = symmetric
              ? f((high > -low ? high : low) / -((top + 1) / 2))
              : f(f(high - low) / top);
            const zero = symmetric
              ? (top + 1) / 2
              : Math.min(top, Math.max(0, roundHalfAway(f(-low / scale))));
            expect(found.scale[channel * 4 + block]).toBe(scale);
            expect(found.zeroPoint[channel * 4 + block]).toBe(zero);
            values.forEach((value, i) => {
              const real = f(f(value * f(1 / scale)) + zero);
              const q = Math.min(top, Math.max(0, roundHalfAway(real)));
              expect(found.data[from + i]).toBe(q);
              signal += value * value;
              noisePower += (value - (q - zero) * scale) ** 2;
            });
          }
        }
        expect(found.sqnrDb).toBeCloseTo(10 * Math.log10(signal / noisePower), 9);
      });
    }
  }

  it("loses less with clipped ranges, never more", () => {
    const values = noise(64 * 64, 5);
    const scheme = { channels: 64, length: 64, blockSize: 32, bits: 4, symmetric: true } as const;
    const nearest = quantizeBlockRows(values, { ...scheme, shrink: fullRange });
    const clipped = quantizeBlockRows(values, { ...scheme, shrink: clippedRanges });
    expect(clipped.sqnrDb).toBeGreaterThan(nearest.sqnrDb + 0.1);
  });

  it("rounds to the float16 scales that the file holds", () => {
    const values = noise(16 * 32, 7);
    const scheme = { channels: 16, length: 32, blockSize: 32, bits: 4, symmetric: true } as const;
    const full = quantizeBlockRows(values, { ...scheme, shrink: fullRange });
    const half = quantizeBlockRows(values, { ...scheme, shrink: fullRange, halfScales: true });
    expect(half.scale).toEqual(full.scale.map((scale) => float16ToFloat32(float32ToFloat16(scale))));
    expect(half.scale).not.toEqual(full.scale);
    expect(half.sqnrDb).toBeGreaterThan(full.sqnrDb - 0.1);
  });

  it("keeps scales in float32 that float16 has less than 11 bits for", () => {
    const scheme = { channels: 1, length: 16, blockSize: 16, bits: 4, symmetric: true } as const;
    for (const largest of [2 ** -20 / 3, 1e6]) {
      const rows = new Float32Array(16).fill(largest);
      const { scale } = quantizeBlockRows(rows, { ...scheme, shrink: fullRange, halfScales: true });
      expect(scale[0]).toBe(Math.fround(Math.fround(largest) / -8));
    }
    expect([hasHalfScales(15, 17), hasHalfScales(16, 16)]).toEqual([false, true]);
  });

  it("keeps zeros exact", () => {
    const { scale, data, zeroPoint, sqnrDb } = quantizeBlockRows(new Float32Array(32), {
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

  it("refuses rows of another length", () => {
    const scheme: BlockScheme = {
      channels: 2,
      length: 16,
      blockSize: 16,
      bits: 4,
      symmetric: true,
      shrink: fullRange,
    };
    expect(caught(() => quantizeBlockRows(new Float32Array(31), scheme))).toMatchObject({
      code: "length",
      message: "quantizeBlockRows: rows: length: expected 32 (2 channels of 16), got 31",
    });
  });
});

describe("packing", () => {
  it("puts each value where MatMulNBits reads it, and zero points behind the last", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom(16, 32),
        fc.constantFrom<4 | 8>(4, 8),
        fc.nat(),
        (channels, length, blockSize, bits, seed) => {
          const random = seededRandom(seed);
          const blocks = Math.ceil(length / blockSize);
          const any = (count: number) => Array.from({ length: count }, () => random.below(2 ** bits));
          const [data, zeroPoint] = [
            Uint8Array.from(any(channels * length)),
            Int32Array.from(any(channels * blocks)),
          ];
          const layout = { channels, length, blockSize, bits };
          const read = (bytes: Uint8Array, perRow: number, channel: number, i: number): number =>
            bits === 8
              ? (bytes[channel * perRow + i] as number)
              : ((bytes[channel * perRow + (i >> 1)] as number) >> (4 * (i % 2))) & 15;
          const packed = packBlocks({ data, zeroPoint }, layout);
          const zeros = packBlockZeroPoints(zeroPoint, layout);
          const [rowBytes, zeroBytes] = [(blocks * blockSize * bits) / 8, Math.ceil((blocks * bits) / 8)];
          expect([packed.length, zeros.length]).toEqual([channels * rowBytes, channels * zeroBytes]);
          for (let channel = 0; channel < channels; channel++) {
            for (let i = 0; i < blocks * blockSize; i++) {
              const zero = zeroPoint[channel * blocks + Math.floor(i / blockSize)];
              expect(read(packed, rowBytes, channel, i)).toBe(i < length ? data[channel * length + i] : zero);
            }
            for (let block = 0; block < blocks; block++) {
              expect(read(zeros, zeroBytes, channel, block)).toBe(zeroPoint[channel * blocks + block]);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

it("transposeMatrix turns rows into columns, also over the edges of tiles", () => {
  const [rows, columns] = [70, 33];
  const data = noise(rows * columns, 9);
  const turned = transposeMatrix(data, rows, columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      expect(turned[column * rows + row]).toBe(data[row * columns + column]);
    }
  }
  expect(transposeMatrix(turned, columns, rows)).toEqual(data);
});
