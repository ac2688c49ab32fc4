import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = new URL("../src/", import.meta.url);

/** What the files of a folder of the sources import: packages, and files outside of the folder. */
async function importsOf(folder: string): Promise<string[]> {
  const root = new URL(`${folder}/`, source);
  const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(10);
  const outside = new Set<string>();
  for (const name of files) {
    const text = await readFile(new URL(name, root), "utf8");
    for (const [, module = ""] of text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)) {
      const { href } = module.startsWith(".") ? new URL(module, new URL(name, root)) : { href: module };
      if (!href.startsWith(root.href)) outside.add(href.replace(source.href, "src/"));
    }
  }
  return [...outside].toSorted();
}

test("the importer imports nothing of the engine, and no TensorFlow.js", async () => {
  expect(await importsOf("layers-model")).toEqual([
    "@nasty/core",
    "@nasty/formats/json",
    "@nasty/formats/onnx",
    "@nasty/graph",
    "node:fs/promises",
    "node:path",
    "src/tfjs-error.js",
    "valibot",
  ]);
});

test("the engine imports nothing of the importer", async () => {
  const inside = (await importsOf("engine")).filter((name) => name.startsWith("src/"));
  expect(inside).toEqual(["src/tfjs-error.js"]);
});

/**
 * Runs a program against the built package in a process where modules whose name or address has one of the words are
 * not there.
 */
function runWithout(words: readonly string[], program: string): string {
  const hooks = `
    export async function resolve(name, context, next) {
      const found = await next(name, context);
      if (${JSON.stringify(words)}.some((word) => name.includes(word) || found.url.includes(word)))
        throw new Error("not there: " + name);
      return found;
    }`;
  const start = `
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hooks)}));
    ${program}`;
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return execFileSync(process.execPath, ["--input-type=module", "-e", start], {
    cwd,
    encoding: "utf8",
    stdio: "pipe",
  });
}

test("the importer runs where neither TensorFlow.js nor the engine, nor a runtime, can be loaded", () => {
  const model = {
    modelTopology: {
      model_config: {
        class_name: "Sequential",
        config: {
          name: "tiny",
          layers: [
            {
              class_name: "Dense",
              config: { name: "dense", units: 1, use_bias: false, batch_input_shape: [null, 2] },
            },
          ],
        },
      },
    },
    weightsManifest: [{ paths: ["w"], weights: [{ name: "dense/kernel", shape: [2, 1], dtype: "float32" }] }],
  };
  const words = ["@tensorflow/", "@nasty/training", "@nasty/runtime", "onnxruntime", "/dist/engine/"];
  const printed = runWithout(
    words,
    `const { importLayersModel } = await import("@nasty/engine-tfjs/layers-model");
     await import("@nasty/engine-tfjs/layers-model/node");
     const { model } = importLayersModel(${JSON.stringify(model)}, new Uint8Array(8));
     console.log(model.graph.node.map(({ opType }) => opType).join());`,
  );
  expect(printed).toBe("MatMul\n");
});

test("the engine loads where the importer cannot be", () => {
  const printed = runWithout(
    ["layers-model"],
    `const { tensorflowEngine } = await import("@nasty/engine-tfjs");
     console.log(tensorflowEngine().name);`,
  );
  expect(printed).toBe("tensorflow\n");
});

test("a module that is not there stops a program", () => {
  expect(() => runWithout(["layers-model"], `await import("@nasty/engine-tfjs/layers-model");`)).toThrow(
    "not there",
  );
});
