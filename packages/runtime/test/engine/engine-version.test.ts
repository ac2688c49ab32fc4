import { createRequire } from "node:module";
import { join } from "node:path";
import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { engineVersion } from "../../src/index.js";

const require = createRequire(import.meta.url);

/** What the manifest of an installed package says. */
function installed(name: string): string {
  const folders = require.resolve.paths(name) ?? [];
  const manifest = folders
    .map((folder) => join(folder, name, "package.json"))
    .find((path) => existsSync(path));
  return (JSON.parse(readFileSync(manifest as string, "utf8")) as { version: string }).version;
}

it("is that of the package that computes", async () => {
  expect(await engineVersion("native")).toBe(installed("onnxruntime-node"));
  expect(await engineVersion("wasm")).toBe(installed("onnxruntime-web"));
  expect(await engineVersion("portable")).toBe(installed("@nasty/portable"));
  await expect(engineVersion("tpu" as never)).rejects.toThrow(
    "expected one of native, wasm, portable, got tpu",
  );
});
