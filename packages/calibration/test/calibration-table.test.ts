import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CalibrationTable, parseCalibrationTable, serializeCalibrationTable } from "../src/index.js";

const table: CalibrationTable = {
  schemaVersion: 1,
  method: "percentile",
  parameters: { percentile: 99.99 },
  samples: 3,
  tensors: { h: { min: -1, max: 2, seenMin: -1.5, seenMax: 2, count: 12, masked: 0 } },
};

const broken = (change: object): string => JSON.stringify({ ...table, ...change });

describe("calibration table", () => {
  it("comes back as it was written", () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    const range = fc
      .tuple(number, number, number, number, fc.nat(), fc.nat())
      .map(([a, b, c, d, count, masked]) => ({
        min: Math.min(a, b),
        max: Math.max(a, b),
        seenMin: Math.min(c, d),
        seenMax: Math.max(c, d),
        count,
        masked,
      }));
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z/_.0-9]{1,20}$/), range), (tensors) => {
        const written = { ...table, tensors };
        const text = serializeCalibrationTable(written);
        expect(parseCalibrationTable(text)).toEqual(JSON.parse(JSON.stringify(written)));
        expect(serializeCalibrationTable(parseCalibrationTable(text))).toBe(text);
      }),
    );
  });

  it("is written the same whatever the order of tensors", () => {
    const range = table.tensors.h as NonNullable<typeof table.tensors.h>;
    expect(serializeCalibrationTable({ ...table, tensors: { a: range, b: range } })).toBe(
      serializeCalibrationTable({ ...table, tensors: { b: range, a: range } }),
    );
  });

  it.each([
    ["[]", "not-a-table", "parseCalibrationTable: document: expected an object, got []"],
    [
      broken({ schemaVersion: 2 }),
      "unsupported-version",
      "parseCalibrationTable: schemaVersion: expected 1, got 2",
    ],
    [
      broken({ schemaVersion: undefined }),
      "unsupported-version",
      "parseCalibrationTable: schemaVersion: expected 1, got nothing",
    ],
    [
      broken({ method: "guess" }),
      "not-a-table",
      'parseCalibrationTable: method: expected one of minmax, moving-average, percentile, entropy, mse, got "guess"',
    ],
    [
      broken({ samples: -1 }),
      "not-a-table",
      "parseCalibrationTable: samples: expected a count of at least 0, got -1",
    ],
    [broken({ tensors: 4 }), "not-a-table", "parseCalibrationTable: tensors: expected an object, got 4"],
    [
      broken({ tensors: { h: { ...table.tensors.h, max: "2" } } }),
      "not-a-table",
      'parseCalibrationTable: tensor h: max: expected a finite number, got "2"',
    ],
    [
      broken({ tensors: { h: { ...table.tensors.h, min: 3 } } }),
      "not-a-table",
      "parseCalibrationTable: tensor h: min: expected at most max 2, got 3",
    ],
  ])("refuses what is not one: %#", (text, code, message) => {
    expect(() => parseCalibrationTable(text)).toThrow(expect.objectContaining({ code, message }));
  });

  it("refuses text that is not JSON", () => {
    expect(() => parseCalibrationTable("{")).toThrow(
      /^parseCalibrationTable: document: expected JSON, got: /,
    );
  });
});
