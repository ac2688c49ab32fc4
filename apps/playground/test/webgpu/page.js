// Opens and runs models on WebGPU for a test that drives this page: what crosses is in driven-page.ts.
import { openSession } from "@nasty/runtime/web";
import * as ort from "onnxruntime-web/webgpu";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import { received, sent } from "./driven-page.ts";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL(wasm, import.meta.url).href };
ort.env.logLevel = "error";

const sessions = [];
const mapped = (tensors, change) =>
  Object.fromEntries(Object.entries(tensors).map(([name, one]) => [name, change(one)]));

globalThis.webgpu = {
  version: () => ort.env.versions.web ?? ort.env.versions.common,
  hasAdapter: async () => ((await navigator.gpu?.requestAdapter()) ?? null) !== null,
  async open(address) {
    const session = await openSession(address, { ort, device: "webgpu" });
    return { id: sessions.push(session) - 1, inputs: session.inputs, outputs: session.outputs };
  },
  run: async (id, feeds, names) => mapped(await sessions[id].run(mapped(feeds, received), names), sent),
  close: (id) => sessions[id].close(),
};
