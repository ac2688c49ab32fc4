import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { loadEngine } from "./engine/engine.js";
import type { Device } from "./session.js";

const childScript = fileURLToPath(new URL("../dist/device-child.js", import.meta.url));

/**
 * Whether a device runs a model, tried in a process of its own: a missing driver makes some providers print to stderr
 * or end the process.
 */
const works = (device: Device): Promise<boolean> =>
  new Promise((resolve) => {
    const child = fork(childScript, [device], { stdio: "ignore", timeout: 20_000, execArgv: [] });
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });

let found: Promise<readonly Device[]> | undefined;

/**
 * Lists the devices that really compute here: `cpu` (`wasm` without the native library), and whatever the runtime lists
 * and can run a model on.
 *
 * The answer is found once per process, with one short child process for each listed device other than the CPU.
 *
 * @throws RuntimeError `no-runtime`.
 *
 * @example
 * ```ts
 * preferredPrecision(await availableDevices()); // "int8" on a machine without a GPU
 * ```
 */
export const availableDevices = async (): Promise<Device[]> => {
  found ??= loadEngine().then(async ({ name, devices }) => {
    if (name !== "native") return devices;
    const others = devices.filter((device) => device !== "cpu");
    const working = await Promise.all(others.map(works));
    return ["cpu" as const, ...others.filter((_, index) => working[index])];
  });
  try {
    return [...(await found)];
  } catch (error) {
    found = undefined;
    throw error;
  }
};

/**
 * Devices whose float kernels outrun their quantized ones, where they have quantized ones at all; the fastest first.
 */
const floatDevices: readonly Device[] = ["tensorrt", "cuda", "dml", "coreml", "webgpu"];

/** The precision to ship: `float` when a GPU is present, else `int8`. */
export const preferredPrecision = (devices: readonly Device[]): "float" | "int8" =>
  devices.some((device) => floatDevices.includes(device)) ? "float" : "int8";

/**
 * Whether a GPU (or another device made for floats) really runs models here.
 *
 * @throws RuntimeError `no-runtime`.
 * @example
 * ```ts
 * const path = (await gpuAvailable()) ? "pos.onnx" : "pos_int8.onnx";
 * ```
 */
export const gpuAvailable = async (): Promise<boolean> =>
  preferredPrecision(await availableDevices()) === "float";

/** One model in the two precisions: paths, bytes, or whatever stands for them. */
export interface ModelPair<Model> {
  readonly float32: Model;
  readonly int8: Model;
}

/** What to open, and where. */
export interface ModelChoice<Model> {
  readonly model: Model;
  readonly device: Device;
  readonly precision: "float" | "int8";
}

/**
 * Chooses the float model and the fastest device made for floats, or the INT8 model and the CPU where there is none.
 *
 * @param devices those to choose from; {@link availableDevices} unless given
 * @throws RuntimeError `no-runtime`.
 * @example
 * ```ts
 * const { model, device } = await chooseModel({ float32: "pos.onnx", int8: "pos_int8.onnx" });
 * const session = await openSession(model, { device });
 * ```
 */
export const chooseModel = async <Model>(
  { float32, int8 }: ModelPair<Model>,
  devices?: readonly Device[],
): Promise<ModelChoice<Model>> => {
  const there = devices ?? (await availableDevices());
  const gpu = floatDevices.find((device) => there.includes(device));
  return gpu === undefined
    ? { model: int8, device: there.includes("wasm") ? "wasm" : "cpu", precision: "int8" }
    : { model: float32, device: gpu, precision: "float" };
};
