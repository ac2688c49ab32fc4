import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("the import works without TensorFlow.js installed: no file of it imports any", async () => {
  const folder = new URL("../../src/layers-model/", import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(10);
  const outside = new Set<string>();
  for (const name of files) {
    const source = await readFile(new URL(name, folder), "utf8");
    for (const [, module = ""] of source.matchAll(/from "([^"]+)"/g)) {
      if (!module.startsWith(".")) outside.add(module);
      // The rest of the package is the training engine.
      else if (module.startsWith("../../") || (module.startsWith("../") && !name.includes("/"))) {
        expect([module, name]).toEqual(["../tfjs-error.js", name]);
      }
    }
  }
  expect([...outside].toSorted()).toEqual([
    "@nasty/core",
    "@nasty/formats/json",
    "@nasty/formats/onnx",
    "node:fs/promises",
    "node:path",
    "valibot",
  ]);
});
