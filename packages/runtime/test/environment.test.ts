import { describe, expect, it } from "vitest";
import { instructionSetsOf, modelNameOf } from "../src/cpu-info.js";
import { environment } from "../src/index.js";

const x86 = `processor\t: 0
model name\t: Example Processor 9000
flags\t\t: fpu sse4_1 avx f16c avx2 fma avx512f avx512bw avx512_vnni avx_vnni amx_int8
processor\t: 1
model name\t: Example Processor 9000
`;

const arm = `processor\t: 0
Features\t: fp asimd evtstrm aes asimddp i8mm
`;

describe("environment", () => {
  it("records what a measurement depends on", () => {
    const found = environment({ threads: 2 });
    expect(found.threads).toBe(2);
    expect(found.cores).toBeGreaterThan(0);
    expect(found.memoryBytes).toBeGreaterThan(0);
    expect(found.node).toBe(process.versions.node);
    expect(found.onnxruntime).toMatch(/^1\.\d+\.\d+/);
    expect(found.cpu).not.toBe("");
  });

  it("reads instruction sets of x86 and Arm", () => {
    expect(instructionSetsOf(x86, "linux", "x64")).toEqual([
      "sse4_1",
      "avx",
      "avx2",
      "fma",
      "f16c",
      "avx512f",
      "avx512bw",
      "avx512_vnni",
      "avx_vnni",
      "amx_int8",
    ]);
    expect(instructionSetsOf(arm, "linux", "arm64")).toEqual(["neon", "dotprod", "i8mm"]);
    expect(instructionSetsOf("", "darwin", "arm64")).toEqual(["neon", "dotprod"]);
    expect(instructionSetsOf("", "win32", "x64")).toEqual([]);
  });

  it("reads the processor's name where there is one", () => {
    expect(modelNameOf(x86)).toBe("Example Processor 9000");
    expect(modelNameOf(arm)).toBeUndefined();
  });
});
