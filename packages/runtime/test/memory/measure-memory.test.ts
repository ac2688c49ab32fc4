import { describe, expect, it } from "vitest";
import { measureMemory, measureSessionMemory } from "../../src/index.js";
import { bytesOf, float, linearModel } from "../tiny-models.js";

const module = new URL("../fixtures/memory-jobs.js", import.meta.url);

describe("measureMemory", () => {
  it("sees what the function keeps", async () => {
    const { residentBytes, peakBytes, baselineBytes } = await measureMemory({
      module,
      function: "hold",
      argument: 100,
    });
    expect(residentBytes).toBeGreaterThan(95e6);
    expect(residentBytes).toBeLessThan(130e6);
    expect(peakBytes).toBeGreaterThanOrEqual(residentBytes);
    expect(baselineBytes).toBeGreaterThan(10e6);
  });

  it("tells what is kept from what was needed on the way", async () => {
    const { residentBytes, peakBytes } = await measureMemory({ module, function: "release", argument: 100 });
    expect(peakBytes).toBeGreaterThan(95e6);
    expect(residentBytes).toBeLessThan(50e6);
  });

  it.each([
    ["fail", "no such sample"],
    ["missing", "memory-jobs.js has no function missing"],
    ["die", "exit code 7"],
  ])("reports what went wrong in the child: %s", async (name, text) => {
    const attempt = measureMemory({ module, function: name });
    await expect(attempt).rejects.toMatchObject({ code: "measurement-failed", kind: "input" });
    await expect(attempt).rejects.toThrow(text);
  });

  it("does not wait for ever", async () => {
    await expect(measureMemory({ module, function: "hang" }, { timeoutMs: 400 })).rejects.toThrow(
      "measureMemory: child process: result: expected figures, got: none within 400 ms",
    );
  });
});

describe("measureSessionMemory", () => {
  it("loads and runs a model", async () => {
    const { residentBytes } = await measureSessionMemory(bytesOf(linearModel()), [
      { x: float([1, 4], [1, 2, 3, 4]) },
    ]);
    expect(residentBytes).toBeGreaterThan(0);
    expect(residentBytes).toBeLessThan(60e6);
  });

  it("names the model's fault", async () => {
    await expect(measureSessionMemory(bytesOf(linearModel()), [{}])).rejects.toThrow("run: input x: not fed");
  });
});
