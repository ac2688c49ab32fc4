import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { loadNodeRuntime, type NodeRuntime } from "./node-runtime.js";
import { RuntimeError } from "./runtime-error.js";
import type { Device } from "./session.js";

const listed = (ort: NodeRuntime): Device[] => ort.listSupportedBackends().map(({ name }) => name as Device);

/** @throws RuntimeError `device-unavailable` naming the devices that the runtime was built for. */
export const requireDevice = (ort: NodeRuntime, device: Device): void => {
  const devices = listed(ort);
  if (!devices.includes(device)) {
    throw new RuntimeError(
      "device-unavailable",
      `openSession: device: expected one of ${devices.join(", ")}, got ${device}`,
    );
  }
};

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
 * Lists the devices that really compute here: `cpu`, and whatever the runtime lists and can run a model on.
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
  found ??= loadNodeRuntime().then(async (ort) => {
    const others = listed(ort).filter((device) => device !== "cpu");
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

/** Devices whose float kernels outrun their quantized ones, where they have quantized ones at all. */
const floatDevices: ReadonlySet<Device> = new Set<Device>(["cuda", "tensorrt", "dml", "webgpu", "coreml"]);

/** The precision to ship: `float` when a GPU is present, else `int8`. */
export const preferredPrecision = (devices: readonly Device[]): "float" | "int8" =>
  devices.some((device) => floatDevices.has(device)) ? "float" : "int8";
