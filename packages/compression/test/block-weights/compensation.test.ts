import { describe, expect, it } from "vitest";
import { compensateRows } from "../../src/block-weights/compensate-rows.js";
import { compensationFactor } from "../../src/block-weights/compensation-factor.js";
import { fullRange, quantizeBlockRows, type BlockScheme } from "@nasty/core";
import { noise } from "../tiny-models.js";

const [channels, length, samples] = [40, 48, 200];

/** Correlated activations: each input is mostly its neighbour. */
function activations(): Float64Array {
  const fresh = noise(samples * length, 11, 1);
  const x = new Float64Array(samples * length);
  for (let s = 0; s < samples; s++) {
    for (let k = 0; k < length; k++) {
      const before = k === 0 ? 0 : (x[s * length + k - 1] as number);
      x[s * length + k] = 0.9 * before + 0.4 * (fresh[s * length + k] as number);
    }
  }
  return x;
}

function gramOf(x: Float64Array): Float64Array {
  const gram = new Float64Array(length * length);
  for (let s = 0; s < samples; s++) {
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < length; j++) {
        gram[i * length + j] =
          (gram[i * length + j] as number) + (x[s * length + i] as number) * (x[s * length + j] as number);
      }
    }
  }
  return gram;
}

/** Squared error of the product x·wᵀ. */
function productError(
  rows: Float32Array,
  q: ReturnType<typeof quantizeBlockRows>,
  blockSize: number,
  gram: Float64Array,
): number {
  const blocks = Math.ceil(length / blockSize);
  let error = 0;
  for (let n = 0; n < channels; n++) {
    const e = Float64Array.from({ length }, (_, k) => {
      const group = n * blocks + Math.floor(k / blockSize);
      const value =
        ((q.data[n * length + k] as number) - (q.zeroPoint[group] as number)) * (q.scale[group] as number);
      return (rows[n * length + k] as number) - value;
    });
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < length; j++)
        error += (e[i] as number) * (e[j] as number) * (gram[i * length + j] as number);
    }
  }
  return error;
}

describe("error compensation", () => {
  const gram = gramOf(activations());
  const rows = noise(channels * length, 4);

  for (const symmetric of [true, false]) {
    it(`at least halves the product's error on correlated inputs, ${symmetric ? "" : "a"}symmetric`, () => {
      const scheme: BlockScheme = { channels, length, blockSize: 16, bits: 4, symmetric, shrink: fullRange };
      const factor = compensationFactor(gram.slice(), length, 0.01);
      const plain = productError(rows, quantizeBlockRows(rows, scheme), 16, gram);
      const compensated = productError(rows, compensateRows(rows, factor, scheme), 16, gram);
      expect(compensated).toBeLessThan(plain / 2);
    });
  }

  it("is rounding to nearest where inputs have nothing to do with each other", () => {
    const scheme: BlockScheme = {
      channels,
      length,
      blockSize: 16,
      bits: 4,
      symmetric: true,
      shrink: fullRange,
    };
    const identity = new Float64Array(length * length);
    for (let i = 0; i < length; i++) identity[i * length + i] = 1;
    const compensated = compensateRows(rows, compensationFactor(identity, length, 0.01), scheme);
    const { data, scale, zeroPoint, sqnrDb } = quantizeBlockRows(rows, scheme);
    expect(compensated).toMatchObject({ data, scale, zeroPoint });
    expect(compensated.sqnrDb).toBeCloseTo(sqnrDb, 9);
  });

  it("factors H + λI = R Rᵀ", () => {
    const damped = gram.slice();
    let trace = 0;
    for (let i = 0; i < length; i++) trace += gram[i * length + i] as number;
    for (let i = 0; i < length; i++)
      damped[i * length + i] = (damped[i * length + i] as number) + (0.05 * trace) / length;
    const factor = compensationFactor(gram.slice(), length, 0.05);
    for (const [i, j] of [
      [0, 0],
      [3, 17],
      [47, 47],
      [12, 40],
    ] as const) {
      let sum = 0;
      for (let m = Math.max(i, j); m < length; m++)
        sum += (factor[i * length + m] as number) * (factor[j * length + m] as number);
      expect(sum).toBeCloseTo(damped[i * length + j] as number, 6);
    }
  });

  it("takes inputs that are always 0, and refuses what is no second moment", () => {
    expect(compensationFactor(new Float64Array(4), 2, 0.01).every(Number.isFinite)).toBe(true);
    const broken = Float64Array.of(1, 5, 5, 1);
    expect(() => compensationFactor(broken, 2, 0.01)).toThrow(
      "gptq: second moments: pivot 0: expected a positive number",
    );
  });
});
