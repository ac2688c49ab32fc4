import type { Device } from "../session.js";
import { importOptional, type RuntimeModule } from "./runtime-module.js";

export const wasmPackage = "onnxruntime-web";

/** Loads the WebAssembly build, which needs no native library and computes on one thread. */
export const loadWasm = async (): Promise<{
  readonly ort: RuntimeModule;
  readonly devices: readonly Device[];
}> => {
  const ort = await importOptional(wasmPackage);
  ort.env.logLevel = "fatal";
  // Its threads are workers that keep a process alive and gain nothing on the small models of taggers.
  ort.env.wasm.numThreads = 1;
  return { ort, devices: ["wasm"] };
};
