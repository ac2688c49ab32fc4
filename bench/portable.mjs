// The portable engine beside ONNX Runtime's WebAssembly and native builds: words a second, labels, memory, start, size.
//   node bench/portable.mjs speed TEXT.conllu MODEL… [--sentences 500] [--batch-size 1] [--rounds 5]
//   node bench/portable.mjs labels TEXT.conllu MODEL… [--batch-size 1]     every word against onnxruntime-node
//   node bench/portable.mjs start MODEL                                    whole processes, import to first tags
//   node bench/portable.mjs size                                           the engine in one file, minified and gzipped
// One thread. In `speed` the engines take turns on the same sentences, after a round that is not counted; medians.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { readConlluFile } from "../packages/formats/dist/conllu/node.js";
import { environment } from "../packages/runtime/dist/index.js";
import { openTagger } from "../packages/taggers/dist/node.js";
import { posSentences } from "../packages/tagger-training/dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sentences: { type: "string", default: "500" },
    "batch-size": { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
  },
});
const [what, ...rest] = positionals;
const batchSize = Number(values["batch-size"]);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const engines = ["portable", "wasm", "native"];

async function labelsOf(tagger, texts) {
  const labels = [];
  if (batchSize === 1)
    for (const text of texts) for await (const one of tagger.tag([text], { batchSize })) labels.push(one);
  else for await (const one of tagger.tag(texts, { batchSize })) labels.push(one);
  return labels;
}

async function textsOf(path, count) {
  const all = await posSentences(readConlluFile(path));
  return all.slice(0, count).map(({ words }) => words);
}

async function speed([path, ...models]) {
  const texts = await textsOf(path, Number(values.sentences));
  const words = texts.reduce((sum, { length }) => sum + length, 0);
  for (const model of models) {
    const runs = [];
    for (const engine of engines)
      runs.push({ engine, tagger: await openTagger(model, { engine }), times: [] });
    for (let round = 0; round <= Number(values.rounds); round++)
      for (const { tagger, times } of runs) {
        const begun = performance.now();
        await labelsOf(tagger, texts);
        if (round > 0) times.push(performance.now() - begun);
      }
    const [own] = runs;
    const rates = runs.map(({ engine, times }) => {
      const ratio = median(times) / median(own.times);
      return `${engine} ${Math.round((words / median(times)) * 1000)} words/s${engine === "portable" ? "" : ` (portable ${ratio.toFixed(2)}×)`}`;
    });
    console.log(`${model}, batches of ${batchSize}, ${words} words: ${rates.join(", ")}`);
    for (const { tagger } of runs) await tagger.close();
  }
}

async function labels([path, ...models]) {
  const texts = await textsOf(path, Infinity);
  for (const model of models) {
    const results = [];
    for (const engine of ["native", "portable"]) {
      const tagger = await openTagger(model, { engine });
      results.push(await labelsOf(tagger, texts));
      await tagger.close();
    }
    const [native, portable] = results;
    const flips = native.flatMap((one, i) =>
      one.flatMap((label, j) =>
        label === portable[i][j] ? [] : [`${i + 1}:${texts[i][j]} ${label} -> ${portable[i][j]}`],
      ),
    );
    const count = texts.reduce((sum, { length }) => sum + length, 0);
    console.log(
      `${model}, batches of ${batchSize}: ${flips.length} of ${count} words differ ${flips.join(", ")}`,
    );
  }
}

/** Seconds of whole processes, and the memory that one holds beyond the model's bytes after 200 sentences. */
function start([model]) {
  const taggers = new URL("../packages/taggers/dist/bundle/node.js", import.meta.url).href;
  const code = (count) => `
    import { statSync } from "node:fs";
    import { openTagger } from ${JSON.stringify(taggers)};
    const before = process.memoryUsage().rss;
    const tagger = await openTagger(${JSON.stringify(resolve(model))});
    const texts = Array.from({ length: ${count} }, (_, i) => ["Time", "flies", "like", "an", "arrow" + i, "."]);
    for (const text of texts) for await (const _ of tagger.tag([text])) {}
    console.log((process.memoryUsage().rss - before - statSync(${JSON.stringify(resolve(model))}).size) / 1e6);`;
  for (const engine of engines) {
    const env = { ...process.env, NASTY_ENGINE: engine };
    const timed = Array.from({ length: 7 }, () => {
      const begun = performance.now();
      spawnSync(process.execPath, ["--input-type=module", "-e", code(1)], { env });
      return (performance.now() - begun) / 1000;
    });
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", code(200)], {
      env,
      encoding: "utf8",
    });
    console.log(
      `${engine}: start to first tags ${median(timed).toFixed(2)} s, ${Number(stdout).toFixed(0)} MB over the model's size`,
    );
  }
}

async function size() {
  const entry = fileURLToPath(new URL("../packages/portable/dist/index.js", import.meta.url));
  for (const [name, external] of [
    ["with the reader of ONNX files", []],
    ["without it", ["@nasty/formats"]],
  ]) {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false,
      external,
    });
    const [{ contents }] = outputFiles;
    console.log(`${name}: ${contents.length} bytes, ${gzipSync(contents).length} gzipped`);
  }
  const { kernelModule } = await import("../packages/portable/dist/index.js");
  console.log(`the kernels' module, made when it is first used: ${kernelModule().length} bytes`);
}

const { cpu, instructionSets, node } = environment();
console.log(`${cpu}, ${instructionSets.join(" ")}, Node ${node}`);
const run = { speed, labels, start, size }[what];
if (run === undefined) {
  console.error("usage: node bench/portable.mjs speed|labels|start|size …");
  process.exit(2);
}
await run(rest);
