import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dequantizeMatMulNBits, quantizeMatMulNBits, roundHalfAway, tensor } from "../src/index.js";
import { caught } from "./caught.js";

const weight = (K: number, N: number, at: (k: number, n: number) => number) =>
  tensor(
    "float32",
    [K, N],
    Float32Array.from({ length: K * N }, (_, i) => at(Math.floor(i / N), i % N)),
  );

describe("quantizeMatMulNBits", () => {
  test("symmetric int4: minus the signed largest value over 8, halves away from zero", () => {
    const q = quantizeMatMulNBits(
      weight(16, 1, (k) => [4, -8, 0.5, -0.5, 1.5, 7.4][k] ?? 0),
      { blockSize: 16, symmetric: true, bits: 4 },
    );
    expect([...q.scales.data]).toEqual([1]);
    expect(q.zeroPoints).toBeUndefined();
    // 4+8, -8+8, 8.5 → 9, 7.5 → 8, 9.5 → 10, 15.4 → 15, then zeros at 8; low nibble first.
    expect([...q.B.data]).toEqual([0x0c, 0x89, 0xfa, 0x88, 0x88, 0x88, 0x88, 0x88]);
  });

  test("symmetric int4 with a positive largest value has a negative scale", () => {
    const q = quantizeMatMulNBits(
      weight(32, 1, () => 1),
      { blockSize: 32, symmetric: true, bits: 4 },
    );
    expect([...q.scales.data]).toEqual([-0.125]);
    expect(new Set(q.B.data)).toEqual(new Set([0]));
    expect(new Set(dequantizeMatMulNBits(q).data)).toEqual(new Set([1]));
  });

  test("asymmetric int4: range with 0, packed zero points", () => {
    const q = quantizeMatMulNBits(
      weight(48, 2, (k, n) => (n === 0 ? (k % 16) - 5 : 1 + (k % 16) / 15)),
      { blockSize: 16, symmetric: false, bits: 4 },
    );
    expect([...q.scales.data]).toEqual([1, 1, 1, ...Array(3).fill(Math.fround(2 / 15))]);
    expect(q.zeroPoints).toMatchObject({ shape: [2, 2], data: new Uint8Array([0x55, 0x05, 0, 0]) });
    expect([...q.B.data.subarray(0, 8)]).toEqual([0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]);
  });

  test("shapes, also with a partial last block", () => {
    const q = quantizeMatMulNBits(
      weight(40, 3, () => 1),
      { blockSize: 32, symmetric: false, bits: 8 },
    );
    expect([q.B.shape, q.scales.shape, q.zeroPoints?.shape]).toEqual([
      [3, 2, 32],
      [3, 2],
      [3, 2],
    ]);
    expect(q.B.data[8 + 32]).toBe(0);
    expect(q.B.data[7 + 32]).toBe(255);
    const s = quantizeMatMulNBits(
      weight(40, 3, () => 1),
      { blockSize: 32, symmetric: true, bits: 4 },
    );
    expect(s.B.shape).toEqual([3, 2, 16]);
    expect([...s.B.data.subarray(20, 32)]).toEqual(Array(12).fill(0x88));
  });

  test("a block of zeros has scale 0 and reads as 0", () => {
    for (const symmetric of [true, false]) {
      const q = quantizeMatMulNBits(
        weight(16, 1, () => 0),
        { blockSize: 16, symmetric, bits: 4 },
      );
      expect(Object.is(q.scales.data[0], 0)).toBe(true);
      expect(new Set(dequantizeMatMulNBits(q).data)).toEqual(new Set([0]));
    }
  });

  test("equals the formulas, element by element, in every column and block", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom<4 | 8>(4, 8),
        fc.boolean(),
        fc.integer(),
        (K, N, bits, symmetric, seed) => {
          const f = Math.fround;
          const w = weight(K, N, (k, n) => Math.sin(seed + k * 12.9898 + n * 78.233) * 3);
          const blockSize = 16;
          const blocks = Math.ceil(K / blockSize);
          const y = dequantizeMatMulNBits(quantizeMatMulNBits(w, { blockSize, symmetric, bits })).data;
          const top = 2 ** bits - 1;
          for (let n = 0; n < N; n++) {
            for (let block = 0; block < blocks; block++) {
              const rows = Array.from({ length: Math.min(16, K - block * 16) }, (_, r) => block * 16 + r);
              const values = rows.map((k) => w.data[k * N + n] as number);
              const low = Math.min(0, ...values);
              const high = Math.max(0, ...values);
              const scale = symmetric
                ? f((high > -low ? high : low) / -((top + 1) / 2))
                : f(f(high - low) / top);
              const zero = symmetric
                ? (top + 1) / 2
                : Math.min(top, Math.max(0, roundHalfAway(f(-low / scale))));
              rows.forEach((k, r) => {
                const real = f(f((values[r] as number) * f(1 / scale)) + zero);
                const q = Math.min(top, Math.max(0, roundHalfAway(real)));
                expect(y[k * N + n]).toBe(f((q - zero) * scale));
              });
            }
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test.each([
    [[4], 16, 4, "shape", "quantizeMatMulNBits: weight: rank: expected 2 ([K, N]), got 1 ([4])"],
    [
      [2, 2],
      8,
      4,
      "block-size",
      "quantizeMatMulNBits: block size: value: expected a power of two of at least 16, got 8",
    ],
    [
      [2, 2],
      48,
      4,
      "block-size",
      "quantizeMatMulNBits: block size: value: expected a power of two of at least 16, got 48",
    ],
    [[2, 2], 16, 2, "bits", "quantizeMatMulNBits: bits: value: expected 4 or 8, got 2"],
  ])("%j, block %d, %d bits is refused", (shape, blockSize, bits, code, message) => {
    const w = tensor("float32", shape, new Float32Array(4));
    expect(
      caught(() => quantizeMatMulNBits(w, { blockSize, bits: bits as 4, symmetric: true })),
    ).toMatchObject({ code, message });
  });

  test("a NaN is named", () => {
    const w = weight(2, 2, (k, n) => (k === 1 && n === 0 ? NaN : 1));
    expect(caught(() => quantizeMatMulNBits(w, { blockSize: 16, bits: 4, symmetric: true }))).toMatchObject({
      code: "not-finite",
      message: "quantizeMatMulNBits: element 2: value: expected a finite number, got NaN",
    });
  });
});

test("dequantizeMatMulNBits refuses parts of the wrong length", () => {
  const q = quantizeMatMulNBits(
    weight(16, 1, () => 1),
    { blockSize: 16, bits: 4, symmetric: true },
  );
  expect(caught(() => dequantizeMatMulNBits({ ...q, N: 2 }))).toMatchObject({
    code: "length",
    message: "dequantizeMatMulNBits: B: length: expected 16 (K 16, N 2, block 16, 4 bits), got 8",
  });
});
