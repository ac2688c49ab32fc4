import { describe, expect, it } from "vitest";
import {
  hashScales,
  parseQuantizationRecord,
  type QuantizationRecord,
  serializeQuantizationRecord,
  simulateQuantization,
} from "../../src/index.js";
import { smallTagger } from "./small-tagger.js";

const record: QuantizationRecord = {
  schemaVersion: 1,
  bits: 8,
  fakeQuantize: true,
  activationMode: "static",
  rangeMode: "moving-average",
  weights: [
    { name: "A", op: "MatMul", axis: 1, symmetric: true, scales: 16, scalesHash: "0123456789abcdef" },
  ],
  activations: { rows: { min: -1, max: 2, scale: 3 / 255, zeroPoint: 85 } },
};

describe("the record of a training", () => {
  it("survives as text", () => {
    expect(parseQuantizationRecord(serializeQuantizationRecord(record))).toEqual(record);
  });

  it.each<[string, string]>([
    ["{", "document: expected JSON"],
    ["[]", "document: expected an object, got []"],
    [JSON.stringify({ ...record, schemaVersion: 2 }), "schemaVersion: expected 1, got 2"],
    [JSON.stringify({ ...record, bits: 5 }), "bits: expected 8 or 4, got 5"],
    [JSON.stringify({ ...record, weights: {} }), "weights: expected a list, got object"],
    [
      JSON.stringify({ ...record, weights: [{ ...record.weights[0], scalesHash: "x" }] }),
      "weights[0]: scalesHash: expected 16 hexadecimal digits, got x",
    ],
    [
      JSON.stringify({ ...record, activations: { rows: { min: 0, max: null } } }),
      "activations: rows: max: expected a finite number, got null",
    ],
    [
      JSON.stringify({ ...record, activations: { rows: { min: 3, max: 2, scale: 1, zeroPoint: 0 } } }),
      "activations: rows: min: expected at most 2, got 3",
    ],
  ])("is refused: %s", (text, message) => {
    expect(() => parseQuantizationRecord(text)).toThrow(`parseQuantizationRecord: ${message}`);
  });

  it("must have the ranges that its weights need", () => {
    expect(() => simulateQuantization(smallTagger(), { ...record, activations: {} })).toThrow(
      'simulateQuantization: activation "rows": range: expected one in the record, got none of 0',
    );
  });

  it("tells scales from others by their hash", () => {
    const hash = (...values: number[]) => hashScales(Float32Array.from(values));
    expect(hash(1, 2)).toMatch(/^[\da-f]{16}$/);
    expect(hash(1, 2)).toBe(hash(1, 2));
    expect(new Set([hash(1, 2), hash(2, 1), hash(1), hash(1, 2, 0), hash(1, 2.0000002)]).size).toBe(5);
  });
});
