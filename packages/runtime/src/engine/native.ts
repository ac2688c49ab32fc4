import type { Device } from "../session.js";
import { importOptional, type RuntimeModule } from "./runtime-module.js";

/** `onnxruntime-node`, which also tells what it was built for. */
type NativeModule = RuntimeModule & { listSupportedBackends(): readonly { readonly name: string }[] };

/**
 * ONNX Runtime's builds for Linux keep a record of use under the home folder and upload it, unless this variable is set
 * when the library is loaded. Someone who sets it to something else has decided.
 */
const telemetryVariable = "ORT_DISABLE_TELEMETRY";

export const nativePackage = "onnxruntime-node";

/** Loads the native library; fails where the package is missing or has no library for this platform. */
export const loadNative = async (): Promise<{
  readonly ort: RuntimeModule;
  readonly devices: readonly Device[];
}> => {
  process.env[telemetryVariable] ??= "1";
  const ort = (await importOptional(nativePackage)) as NativeModule;
  // The process-wide logger is made with the first session, and prints warnings unless told otherwise.
  ort.env.logLevel = "fatal";
  return { ort, devices: ort.listSupportedBackends().map(({ name }) => name as Device) };
};
