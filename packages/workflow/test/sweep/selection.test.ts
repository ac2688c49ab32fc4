import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSelection, SelectionError } from "../../src/sweep/selection.js";

const figures = { loss: 0.001, size: 4e6, speed: 2 };

describe("parseSelection", () => {
  it.each([
    ["loss <= 0.001", true],
    ["loss < 0.001", false],
    ["loss<=1e-3", true],
    ["loss > -0.5", true],
    ["size <= 4MB", true],
    ["size <= 3999kB", false],
    ["size >= 4000000", true],
    ["size < 0.5 gb", true],
    ["speed >= 2 and loss <= 0.001", true],
    ["speed > 2 or loss <= 0.001", true],
    ["not loss > 0.001", true],
    ["not (speed > 1 and size > 1MB)", false],
    ["speed > 3 and loss > 1 or size > 1MB", true],
    ["speed > 3 and (loss > 1 or size > 1MB)", false],
    ["not speed > 3 and not not size > 1MB", true],
  ])("%s is %s", (text, expected) => {
    expect(parseSelection(text)(figures)).toBe(expected);
  });

  it.each([
    ["", "expected loss, size, speed, not or ( at column 1 (found nothing more)"],
    ["  loss", "expected <=, <, >= or > at column 7 (found nothing more)"],
    ["loss = 1", 'expected a quantity, a comparison, a number or a parenthesis at column 6 (found "=")'],
    ["loss <= small", "expected a number at column 9 (found small)"],
    ["accuracy >= 0.9", "expected loss, size, speed, not or ( at column 1 (found accuracy)"],
    ["loss <= 1MB", "expected a number without a unit, and, or, or the end at column 10 (found MB)"],
    ["size <= 4TB", "expected B, kB, MB, GB, and, or, or the end at column 10 (found TB)"],
    [
      "loss <= 1 size <= 2",
      "expected a number without a unit, and, or, or the end at column 11 (found size)",
    ],
    ["(loss <= 1", "expected and, or, or ) at column 11 (found nothing more)"],
    ["loss <= 1)", "expected and, or, or the end at column 10 (found ))"],
    ["loss <= 1e999", "expected a number that is finite at column 9 (found 1e999)"],
    ["loss <= 1 and constructor", "expected loss, size, speed, not or ( at column 15 (found constructor)"],
    ["loss constructor 1", "expected <=, <, >= or > at column 6 (found constructor)"],
    ["size < 1 toString", "expected B, kB, MB, GB, and, or, or the end at column 10 (found toString)"],
    ["(".repeat(2000), "expected at most 1000 characters at column 1001 (found 2000)"],
  ])("refuses %j with its column", (text, message) => {
    expect(() => parseSelection(text)).toThrow(SelectionError);
    expect(() => parseSelection(text)).toThrow(message);
  });

  it("reads any text or refuses it", () => {
    const words = fc.constantFrom(
      "loss",
      "size",
      "speed",
      "and",
      "or",
      "not",
      "(",
      ")",
      "<=",
      ">",
      "1",
      "MB",
      "é",
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 40 }), (parts) => {
        try {
          expect(typeof parseSelection(parts.join(" "))(figures)).toBe("boolean");
        } catch (error) {
          expect(error).toBeInstanceOf(SelectionError);
        }
      }),
    );
  });
});
