import { describe, expect, it } from "vitest";
import { runtimeModuleIn } from "../../src/engine/runtime-module.js";

const exported = { InferenceSession: () => undefined, Tensor: () => undefined, env: {} };

describe("runtimeModuleIn", () => {
  it("finds the exports wherever a loader has put them", () => {
    for (const imported of [
      exported,
      { default: exported },
      { default: exported, __esModule: true },
      { default: { default: exported } },
      { ...exported, default: undefined },
    ]) {
      expect(runtimeModuleIn(imported).InferenceSession).toBe(exported.InferenceSession);
    }
  });

  it("says what it got instead", () => {
    expect(() => runtimeModuleIn({ default: { other: 1 } })).toThrow(
      "exports: expected InferenceSession, got default",
    );
    expect(() => runtimeModuleIn({})).toThrow("got none");
  });
});
