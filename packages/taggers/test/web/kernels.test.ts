import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openTagger } from "../../src/web/index.js";

/** TypeScript declares it only together with all of a browser. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { readonly Module: new (bytes: Uint8Array) => object; compile(): Promise<object> };
};

const models = new URL("../../../model-en/models/", import.meta.url);
const kernels = new WebAssembly.Module(
  readFileSync(new URL("../../../portable/dist/kernels.wasm", import.meta.url)),
);

beforeAll(() => {
  vi.spyOn(WebAssembly, "compile").mockRejectedValue(new Error("code generation disallowed"));
});
afterAll(() => vi.restoreAllMocks());

test("tags with compiled kernels where WebAssembly may not be compiled", async () => {
  for (const [model, label] of [
    ["pos-en-int8.onnx", "PROPN"],
    ["ner-en-int8.onnx.gz", "B-LOC"],
  ] as const) {
    const bytes = readFileSync(new URL(model, models));
    await expect(openTagger(bytes)).rejects.toThrow("code generation disallowed");
    const tagger = await openTagger(bytes, { kernels });
    for await (const labels of tagger.tag([["London", "calling"]])) expect(labels[0]).toBe(label);
    await tagger.close();
  }
});
