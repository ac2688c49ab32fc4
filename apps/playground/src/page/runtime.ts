import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";

/**
 * ONNX Runtime as workers use it: one thread, so that results are the same everywhere; its code is a file of its own.
 */
export async function loadRuntime() {
  const ort = await import("onnxruntime-web/wasm");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm: new URL(wasm, import.meta.url).href };
  ort.env.logLevel = "error";
  return ort;
}
