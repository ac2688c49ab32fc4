import { describe, expect, it } from "vitest";
import {
  availableDevices,
  chooseModel,
  gpuAvailable,
  openSession,
  preferredPrecision,
} from "../src/index.js";
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

  it("chooses the float model on the fastest GPU, the INT8 model on the CPU", async () => {
    const models = { float32: "pos.onnx", int8: "pos_int8.onnx" };
    const onCpu = { model: "pos_int8.onnx", device: "cpu", precision: "int8" };
    expect(await chooseModel(models, ["cpu"])).toEqual(onCpu);
    expect(await chooseModel(models, ["cpu", "xnnpack"])).toEqual(onCpu);
    expect(await chooseModel(models, ["cpu", "webgpu", "cuda"])).toEqual({
      model: "pos.onnx",
      device: "cuda",
      precision: "float",
    });
  });

  it("chooses among the devices of this machine unless others are given", async () => {
    const devices = await availableDevices();
    const here = await chooseModel({ float32: "f", int8: "i" });
    expect(devices).toContain(here.device);
    expect(here.precision).toBe(preferredPrecision(devices));
    expect(await gpuAvailable()).toBe(here.precision === "float");
  });
});
