import { CompressionError } from "@nasty/compression";
import { FormatError } from "@nasty/formats/onnx";
import { describe, expect, test } from "vitest";
import { GateError, InputError, UsageError } from "../../src/errors.js";
import { explain } from "../../src/explanation/explain.js";

describe("explain", () => {
  test.each([
    [new UsageError("usage"), 2],
    [new InputError("input"), 3],
    [new GateError("gate"), 4],
    [new TypeError("x is undefined"), 1],
    ["a string", 1],
  ])("%s has exit code %i", (error, code) => {
    expect(explain(error).code).toBe(code);
  });

  test("only what is nobody's input is called a bug", () => {
    expect(explain(new TypeError("x")).message).toContain("this is a bug in nasty");
    expect(explain(new FormatError("truncated", "readModelFile: a.onnx: ends at byte 5")).message).toBe(
      "a.onnx: ends at byte 5; the file is cut off: copy or download it again",
    );
  });

  test("a message that says what to do gets no more advice, and lines become one", () => {
    expect(explain(new FormatError("truncated", "a:\n  b; do c")).message).toBe("a: b; do c");
    expect(explain(new CompressionError("invalid-option", "a: b")).message).toBe("a: b");
  });

  test("errors of the system are put into words, with their path", () => {
    const full = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC", path: "out.onnx" });
    expect(explain(full)).toEqual({
      code: 3,
      details: { code: "ENOSPC", path: "out.onnx" },
      message: "out.onnx: the disk is full; free some space and run again (nothing was replaced)",
    });
    expect(explain(new RangeError("Array buffer allocation failed"))).toMatchObject({
      code: 3,
      message: expect.stringMatching(/^memory: .*; use a smaller input/),
    });
  });
});
