// The memory that `estimate` predicts for a session against that of a fresh process which opens the model and runs one
// sequence.
//
//   node bench/memory-estimate.mjs MODEL.onnx...
//
// float32 models are measured in float32 and quantized dynamically; others as they are. A model that cannot run on
// made-up inputs is only opened, and said so.
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { tensor } from "../packages/core/dist/index.js";
import { dynamic, estimate } from "../packages/compression/dist/index.js";
import { readModelFile, writeModelFile } from "../packages/formats/dist/onnx/node.js";
import { measureSessionMemory, openSession } from "../packages/runtime/dist/index.js";

const arrays = {
  int64: BigInt64Array,
  int32: Int32Array,
  float32: Float32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

function feedsOf(session) {
  const feed = ({ dtype, shape }) => {
    const sizes = shape.map((size, axis) =>
      typeof size === "number" ? size : axis === 0 && shape.length > 1 ? 1 : 32,
    );
    const data = new arrays[dtype](sizes.reduce((a, b) => a * b, 1));
    return tensor(dtype, sizes, data.fill(dtype === "int64" ? 1n : 1));
  };
  return Object.fromEntries(session.inputs.map((input) => [input.name, feed(input)]));
}

async function row(name, path, predicted) {
  const session = await openSession(path);
  const feeds = feedsOf(session);
  const runs = await session.run(feeds).then(
    () => true,
    () => false,
  );
  await session.close();
  const { residentBytes } = await measureSessionMemory(path, runs ? [feeds] : []);
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  const difference = (100 * (predicted / residentBytes - 1)).toFixed(1);
  const cells = [name, mb(predicted), mb(residentBytes), `${difference} %`, runs ? "run" : "opened"];
  console.log(`| ${cells.join(" | ")} |`);
}

console.log("| model | estimate, MB | measured, MB | difference | |\n| --- | ---: | ---: | ---: | --- |");
for (const path of process.argv.slice(2)) {
  const model = await readModelFile(path);
  const { memory } = estimate(model);
  await row(basename(path), path, memory.float32.bytes);
  let quantized;
  try {
    quantized = await dynamic.quantize(model);
  } catch {
    continue;
  }
  const file = join(tmpdir(), `memory-estimate-${process.pid}.onnx`);
  await writeModelFile(file, quantized);
  await row(`${basename(path)}, int8`, file, memory.dynamic.bytes);
  rmSync(file);
}
