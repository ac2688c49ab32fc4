// Which forms of quantized operators each version of ONNX Runtime has and computes rightly:
//   node bench/engine-forms.mjs FOLDER...
// FOLDER is one in which a version was installed, each in its own:
//   npm install --ignore-scripts onnxruntime-web@1.21.0      (or onnxruntime-node)
// Every form is a tiny model, run with every optimization and with none. What a version computes is compared with what
// the ONNX Runtime of this project computes. The rows of packages/workflow/src/targets/engine-faults.ts are what this
// prints, beside "runs".
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { serializeModel } from "../packages/formats/dist/onnx/index.js";
import { openSession } from "../packages/runtime/dist/index.js";
import { tensor } from "../packages/core/dist/index.js";
import { forms } from "./engine-forms/forms.mjs";

const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error(
    "usage: node bench/engine-forms.mjs FOLDER...  (npm install onnxruntime-web@VERSION in each)",
  );
  process.exit(2);
}

const work = mkdtempSync(join(tmpdir(), "nasty-engine-forms-"));
const levels = ["all", "disabled"];
const jobs = [];
for (const [index, { form, feeds, model }] of (await forms()).entries()) {
  const file = join(work, `${index}.onnx`);
  writeFileSync(file, serializeModel(model));
  const typed = Object.fromEntries(
    feeds.map(({ input, dtype, shape, values }) => {
      const data = dtype === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
      return [input, tensor(dtype, shape, data)];
    }),
  );
  const session = await openSession(model);
  const expected = Object.values(await session.run(typed)).flatMap(({ data }) => Array.from(data, Number));
  await session.close();
  for (const optimization of levels) jobs.push({ form, file, feeds, optimization, expected });
}
const list = join(work, "jobs.json");
writeFileSync(
  list,
  JSON.stringify(jobs.map(({ file, feeds, optimization }) => ({ file, feeds, optimization }))),
);
const runner = fileURLToPath(new URL("engine-forms/run-forms.mjs", import.meta.url));

for (const folder of folders.map((path) => resolve(path))) {
  const name = ["onnxruntime-web", "onnxruntime-node"].find((one) =>
    existsSync(join(folder, "node_modules", one)),
  );
  if (name === undefined) {
    console.error(`${folder}: neither onnxruntime-web nor onnxruntime-node is installed there`);
    process.exitCode = 1;
    continue;
  }
  const { version } = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"));
  const results = runAll(folder, name);
  for (const [i, { form, optimization, expected }] of jobs.entries()) {
    console.log(
      JSON.stringify({ engine: name, version, form, optimization, ...verdict(results[i], expected) }),
    );
  }
}
rmSync(work, { recursive: true });

/** What a version says to each job; one that ends the process is a result too. */
function runAll(folder, name) {
  const results = [];
  while (results.length < jobs.length) {
    const { stdout, status, signal } = spawnSync(
      process.execPath,
      [runner, folder, name, list, `${results.length}`],
      {
        encoding: "utf8",
        maxBuffer: 2 ** 28,
      },
    );
    const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
    results.push(...lines.map((line) => JSON.parse(line)));
    if (results.length < jobs.length) results.push({ error: `the process ended: ${signal ?? status}` });
  }
  return results;
}

function verdict({ values, error }, expected) {
  if (error !== undefined) return { verdict: "fails", error };
  let [signal, noise] = [0, 0];
  for (const [i, value] of expected.entries()) {
    signal += value ** 2;
    noise += (value - values[i]) ** 2;
  }
  const relative = Math.sqrt(noise / signal);
  return { verdict: relative < 0.02 ? "runs" : "wrong", relative: Number(relative.toPrecision(2)) };
}
