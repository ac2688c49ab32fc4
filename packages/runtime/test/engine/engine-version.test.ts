import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { engineVersion } from "../../src/index.js";

const require = createRequire(import.meta.url);

/** What the manifest of an installed package says. */
function installed(name: string): string {
  const manifest = join(dirname(require.resolve(name)), "..", "package.json");
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

it("is that of the package that computes", async () => {
  expect(await engineVersion("native")).toBe(installed("onnxruntime-node"));
  expect(await engineVersion("wasm")).toBe(installed("onnxruntime-web"));
  expect(await engineVersion("portable")).toBe(installed("@nasty/portable"));
  await expect(engineVersion("tpu" as never)).rejects.toThrow(
    "expected one of native, wasm, portable, got tpu",
  );
});
