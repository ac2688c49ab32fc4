import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError, parseJson } from "../../src/json/index.js";

const errorOf = (text: string, limit?: number): FormatError => {
  try {
    parseJson(text, limit === undefined ? {} : { maxStructureBytes: limit });
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error("expected an error, got a value");
};

describe("parseJson", () => {
  it("gives what JSON.parse gives, brackets and quotes in strings included", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
    expect(parseJson('\ufeff{"a": "[[\\"{"}')).toEqual({ a: '[["{' });
  });

  it.each([
    ["empty lists", `[${"[],".repeat(20_000)}0]`],
    ["numbers", `[${"0,".repeat(40_000)}0]`],
    ["keys", `{${Array.from({ length: 10_000 }, (_, i) => `"${i}":0`).join(",")}}`],
  ])("counts what %s take before making any", (_, text) => {
    const error = errorOf(text, 1e6);
    expect(error.code).toBe("limit");
    expect(error.message).toMatch(
      /decoded size: expected values of at most 1 MB, got more; .*NASTY_MEMORY_LIMIT/,
    );
    expect(() => parseJson(text)).not.toThrow();
  });

  it("refuses lists in lists, and what is no JSON", () => {
    expect(errorOf("[".repeat(100_000))).toMatchObject({ code: "limit", fields: { column: 501 } });
    expect(errorOf("{]").message).toMatch(/content: expected JSON, got /);
    expect(errorOf(" ").message).toMatch(/got an empty file/);
    expect(errorOf('"\\').code).toBe("json");
  });
});
