// Runs model files on one installed ONNX Runtime and prints a line of JSON for each: what it computes, or why not.
//   node bench/engine-forms/run-forms.mjs FOLDER PACKAGE JOBS.json [FIRST]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, name, jobs, first = "0"] = process.argv.slice(2);
const required = createRequire(join(folder, "package.json"));
const path = required.resolve(name);
const loaded = await import(pathToFileURL(path).href);
const ort = loaded.InferenceSession === undefined ? loaded.default : loaded;
ort.env.logLevel = "fatal";
if (name === "onnxruntime-web") ort.env.wasm.numThreads = 1;

const data = {
  int64: (values) => BigInt64Array.from(values, BigInt),
  float32: (values) => Float32Array.from(values),
};
for (const { file, feeds, optimization } of JSON.parse(readFileSync(jobs, "utf8")).slice(Number(first))) {
  try {
    const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(file)), {
      graphOptimizationLevel: optimization,
      logSeverityLevel: 4,
      executionProviders: [name === "onnxruntime-web" ? "wasm" : "cpu"],
    });
    const tensors = Object.fromEntries(
      feeds.map(({ input, dtype, shape, values }) => [
        input,
        new ort.Tensor(dtype, data[dtype](values), shape),
      ]),
    );
    const outputs = await session.run(tensors);
    const values = Object.values(outputs).map((output) => Array.from(output.data, Number));
    await session.release();
    console.log(JSON.stringify({ values: values.flat() }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error?.message ?? error).split("\n")[0] }));
  }
}
