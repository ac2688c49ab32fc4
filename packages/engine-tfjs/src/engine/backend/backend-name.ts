/** Where TensorFlow.js computes: its native library, WebAssembly, or plain JavaScript. */
export type BackendName = "node" | "wasm" | "cpu";
