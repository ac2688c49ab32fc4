import { describe, expect, it } from "vitest";
import { availableDevices, openSession, preferredPrecision } from "../src/index.js";
import { float, linearModel } from "./tiny-models.js";

describe("devices", () => {
  it("lists only devices that run a model, the CPU first", async () => {
    const devices = await availableDevices();
    expect(devices[0]).toBe("cpu");
    for (const device of devices) {
      const session = await openSession(linearModel(), { device });
      expect(Object.keys(await session.run({ x: float([1, 4], [1, 2, 3, 4]) }))).toEqual(["y"]);
      await session.close();
    }
  });

  it("prefers float on a GPU and int8 without one", () => {
    expect(preferredPrecision(["cpu"])).toBe("int8");
    expect(preferredPrecision(["cpu", "xnnpack"])).toBe("int8");
    expect(preferredPrecision(["cpu", "cuda"])).toBe("float");
    expect(preferredPrecision(["cpu", "webgpu"])).toBe("float");
  });
});
