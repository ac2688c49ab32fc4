// Reads and writes a model file of 100 MB: `node bench/onnx-file.mjs [FILE.onnx]` in packages/formats, after a build.
// Each row is a process of its own, so that its peak resident memory is its own; best of three.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeGraph, makeModel, makeNode, makeTensor, parseModel, serializeModel } from "@nasty/formats/onnx";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";

/** Twenty-five matrices of 4 MB, chained; seeded, so every run writes the same file. */
function generated() {
  const [layers, width] = [25, 1000];
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const initializers = Array.from({ length: layers }, (_, i) =>
    makeTensor(`W${i}`, "float32", {
      shape: [width, width],
      values: Float32Array.from({ length: width * width }, next),
    }),
  );
  const nodes = initializers.map((_, i) => makeNode("MatMul", [`x${i}`, `W${i}`], [`x${i + 1}`]));
  return makeModel(makeGraph("chain", { nodes, outputs: [], initializers }));
}

const rows = {
  start: async () => undefined,
  read: async (file) => void (await readModelFile(file)),
  "read, write": async (file, folder) => {
    await writeModelFile(join(folder, "out.onnx"), await readModelFile(file));
  },
  "read, write external": async (file, folder) => {
    await writeModelFile(join(folder, "ext.onnx"), await readModelFile(file), { externalData: {} });
  },
  "read external": async (_, folder) => void (await readModelFile(join(folder, "ext.onnx"))),
  "read, serializeModel, parseModel": async (file) => {
    parseModel(serializeModel(await readModelFile(file)));
  },
};

async function child(row, file, folder) {
  const start = performance.now();
  await rows[row](file, folder);
  const ms = performance.now() - start;
  process.stdout.write(JSON.stringify({ ms, peak: process.resourceUsage().maxRSS * 1024 }));
}

async function main(given) {
  const folder = mkdtempSync(join(tmpdir(), "onnx-file-"));
  try {
    const file = given ?? join(folder, "in.onnx");
    if (given === undefined) await writeModelFile(file, generated());
    process.stdout.write(
      `${cpus()[0].model}, Node ${process.version}, ${(statSync(file).size / 1e6).toFixed(1)} MB\n`,
    );
    let startPeak = 0;
    for (const row of Object.keys(rows)) {
      const runs = [1, 2, 3].map(() =>
        JSON.parse(
          execFileSync(process.execPath, [fileURLToPath(import.meta.url), "--row", row, file, folder]),
        ),
      );
      const best = runs.reduce((a, b) => (a.ms < b.ms ? a : b));
      if (row === "start") startPeak = best.peak;
      const memory = `${((best.peak - startPeak) / 1e6).toFixed(1)} MB above start (${(startPeak / 1e6).toFixed(0)})`;
      process.stdout.write(`${row.padEnd(34)} ${best.ms.toFixed(0).padStart(5)} ms   ${memory}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === "--row") await child(...process.argv.slice(3));
else await main(process.argv[2]);
