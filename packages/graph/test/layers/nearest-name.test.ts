import { describe, expect, it } from "vitest";
import { nearestName } from "../../src/index.js";

describe("nearestName", () => {
  const names = ["target-accuracy-loss", "percentile", "per-channel", "mode"];
  it.each([
    ["targetAccuracyLoss", "target-accuracy-loss"],
    ["percentil", "percentile"],
    ["per_chanel", "per-channel"],
    ["node", "mode"],
  ])("%s: %s", (written, meant) => expect(nearestName(written, names)).toBe(meant));

  it("says nothing when nothing is near", () => expect(nearestName("vocabulary", names)).toBeUndefined());
});
