import { describe, expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatMs,
  formatPercent,
  formatRatio,
  table,
  toJson,
} from "@nasty/workflow/report";
import { barOn } from "../../src/terminal/bar.js";

describe("figures", () => {
  test.each([
    [999, "1.0 kB"],
    [5_490_019, "5.49 MB"],
    [412_000_000, "412 MB"],
    [1_200_000_000, "1.20 GB"],
  ])("%i bytes are %s: a megabyte is a million bytes", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test("counts, shares, times and ratios", () => {
    expect(formatCount(125_000_000)).toBe("125,000,000");
    expect(formatPercent(0.97841)).toBe("97.84%");
    expect([0.0734, 45.3, 123.4].map(formatMs)).toEqual(["0.073 ms", "45.30 ms", "123 ms"]);
    expect([3.8149, 12.34].map(formatRatio)).toEqual(["3.81x", "12.3x"]);
  });
});

test("a table has no rules and no trailing blanks", () => {
  const text = table(
    ["name", "n"],
    [
      ["a", "1"],
      ["long name", "22"],
    ],
  );
  expect(text).toBe("name        n\na           1\nlong name  22");
});

test("JSON of values that JSON does not have", () => {
  expect(JSON.parse(toJson({ a: 5n, b: Float32Array.of(0.5, 1), c: Number.NaN }))).toEqual({
    a: 5,
    b: [0.5, 1],
    c: null,
  });
});

describe("progress", () => {
  const stream = (isTTY: boolean) => {
    const written: string[] = [];
    const fake = {
      isTTY,
      columns: 80,
      write: (text: string) => written.push(text) > 0,
      clearLine: () => true,
      cursorTo: () => true,
      on: () => fake,
    };
    return { written, fake: fake as unknown as NodeJS.WriteStream };
  };

  test("a line a step where there is no terminal", () => {
    const { written, fake } = stream(false);
    const progress = barOn(fake);
    progress.start("calibrating", 10);
    progress.update(5);
    progress.stop();
    expect(written).toEqual(["calibrating\n"]);
  });

  test("a bar with figures on a terminal", () => {
    const { written, fake } = stream(true);
    const progress = barOn(fake);
    progress.start("calibrating", 10);
    progress.update(10);
    progress.stop();
    expect(written.join("")).toMatch(/calibrating \[.*\] 0% \| 0\/10/);
  });
});
