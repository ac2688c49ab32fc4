import type * as Ort from "onnxruntime-node";
import { RuntimeError } from "./runtime-error.js";

/** What this package uses of onnxruntime-node. */
export type NodeRuntime = Pick<typeof Ort, "InferenceSession" | "Tensor" | "env" | "listSupportedBackends">;

/**
 * ONNX Runtime's builds for Linux keep a record of use under the home folder and upload it, unless this variable is set when the library is
 * loaded. Someone who sets it to something else has decided.
 */
const telemetryVariable = "ORT_DISABLE_TELEMETRY";

let loading: Promise<NodeRuntime> | undefined;

/**
 * Loads onnxruntime-node on first use, so that importing this package costs nothing.
 *
 * @throws RuntimeError `no-runtime` where the platform has no native library.
 */
export const loadNodeRuntime = (): Promise<NodeRuntime> => {
  process.env[telemetryVariable] ??= "1";
  loading ??= import("onnxruntime-node").then(
    ({ default: ort }) => {
      // The process-wide logger is made with the first session, and prints warnings unless told otherwise.
      ort.env.logLevel = "fatal";
      return ort;
    },
    (cause: unknown) => {
      loading = undefined;
      throw new RuntimeError(
        "no-runtime",
        `openSession: onnxruntime-node: native library: expected one for ${process.platform} ${process.arch}, got none; install onnxruntime-node on a supported platform`,
        { cause },
      );
    },
  );
  return loading;
};
