import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { kernelModule } from "@nasty/portable";
import * as ort from "onnxruntime-web/wasm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openSession } from "../src/web.js";
import { float, linearModel } from "./tiny-models.js";

/** TypeScript declares it only together with all of a browser. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { readonly Module: new (bytes: Uint8Array) => object; compile(): Promise<object> };
};

const file = readFileSync(createRequire(import.meta.url).resolve("@nasty/portable/kernels.wasm"));
const kernels = new WebAssembly.Module(file);

beforeAll(() => {
  vi.spyOn(WebAssembly, "compile").mockRejectedValue(new Error("code generation disallowed"));
});
afterAll(() => vi.restoreAllMocks());

describe("a host that may not compile WebAssembly while it runs", () => {
  it("opens sessions with the compiled kernels of the package's file", async () => {
    expect(new Uint8Array(file)).toEqual(kernelModule());
    const session = await openSession(linearModel(), { kernels });
    expect(session.engine).toBe("portable");
    const { y } = await session.run({ x: float([1, 4], [1, 2, 3, 4]) });
    expect(y).toEqual(float([1, 3], [5, 2.5, 0]));
    await session.close();
  });

  it("says what is missing without them", async () => {
    await expect(openSession(linearModel())).rejects.toMatchObject({
      code: "no-runtime",
      message: expect.stringContaining("code generation disallowed"),
    });
  });

  it("takes them for no other engine", async () => {
    for (const other of [{ engine: "wasm" }, { ort }] as const)
      await expect(openSession(linearModel(), { kernels, ...other })).rejects.toMatchObject({
        code: "invalid-option",
        message: expect.stringContaining("kernels: expected the portable engine"),
      });
  });
});
