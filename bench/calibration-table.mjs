// What each way of quantizing does to a tagger, as rows of Markdown, and what calibration takes.
//
//   node bench/calibration-table.mjs table MODEL --test FILE --calibration FILE [--sentences 200] [--only TEXT]
//   node bench/calibration-table.mjs cost MODEL --calibration FILE [--sentences 200]     time and peak memory of each method
//   node bench/calibration-table.mjs growth MODEL --calibration FILE                     50 against 5,000 sentences with the same longest
//   node bench/calibration-table.mjs search                                              the entropy search of 66 tensors
//
// MODEL is a Hugging Face directory or a model file; FILE is CoNLL-U or columns. Speed is processor time of one thread
// in batches of one sentence, so that other work on the machine disturbs it little.
import { spawnSync } from "node:child_process";
import { createReadStream, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { collectRanges, entropySearch, histogramObserver } from "../packages/calibration/dist/index.js";
import { dynamic, int4, int8, weightOnly } from "../packages/compression/dist/index.js";
import { parseConllu, words } from "../packages/formats/dist/conllu/index.js";
import { parseColumns } from "../packages/formats/dist/iob/index.js";
import { readModelFile, writeModelFile } from "../packages/formats/dist/onnx/node.js";
import { environment } from "../packages/runtime/dist/index.js";
import { evaluate, flips, withTagger } from "../packages/taggers/dist/index.js";
import { findTagger, openTagger } from "../packages/taggers/dist/node.js";

const methods = ["minmax", "moving-average", "percentile", "entropy", "mse"];

function labelled(path) {
  const text = readFileSync(path, "utf8");
  if (!path.endsWith(".conllu"))
    return parseColumns(text).map(({ words: forms, labels }) => ({ words: forms, labels }));
  return parseConllu(text).map((sentence) => {
    const found = words(sentence);
    return { words: found.map(({ form }) => form), labels: found.map(({ upos }) => upos) };
  });
}

async function batchesOf(tagger, sentences) {
  const batches = [];
  for await (const batch of tagger.feedsOf(sentences, { batchSize: 1 })) batches.push(batch);
  return batches;
}

async function load(path) {
  const { modelPath, settings } = await findTagger(path);
  return { model: await readModelFile(modelPath), settings };
}

/** Every configuration of the table: a name for each column, and how its model is made. */
function configurations(model, batches, tables) {
  const rows = [];
  const grains = [
    ["per-channel", { perChannel: true }],
    ["per-tensor", { perChannel: false }],
  ];
  const symmetries = [
    ["symmetric", { symmetric: true }],
    ["asymmetric", { symmetric: false }],
  ];
  for (const [grain, granularity] of grains) {
    for (const [symmetry, symmetric] of symmetries) {
      const options = { ...granularity, ...symmetric };
      rows.push([["dynamic", "–", grain, symmetry], () => dynamic.quantize(model, options)]);
      for (const method of methods) {
        rows.push([
          ["static", method, grain, symmetry],
          () => int8.quantize(model, { ...options, calibrationTable: tables.get(method) }),
        ]);
      }
    }
  }
  for (const [symmetry, symmetric] of symmetries) {
    for (const rounding of ["nearest", "mse", "gptq"]) {
      const options = { ...symmetric, rounding, calibrationData: batches, limit: 128 };
      rows.push([["int4", rounding, "blocks of 32", symmetry], () => int4.quantize(model, options)]);
    }
    const options = { ...symmetric, blockSize: 64 };
    rows.push([["int4", "nearest", "blocks of 64", symmetry], () => int4.quantize(model, options)]);
    rows.push([
      ["weight-only", "nearest", "blocks of 64", symmetry],
      () => weightOnly.quantize(model, symmetric),
    ]);
  }
  return rows;
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function judged(model, settings, sentences, file) {
  const { bytes } = await writeModelFile(file, await withTagger(model, settings));
  const tagger = await openTagger(file, { threads: 1 });
  try {
    const from = cpuSeconds();
    const result = await evaluate(tagger, sentences, { batchSize: 1 });
    return { ...result, bytes, perSecond: sentences.length / (cpuSeconds() - from) };
  } finally {
    await tagger.close();
  }
}

async function printTable(path, { test, calibration, sentences: count, only }) {
  const { cpu, onnxruntime } = await environment();
  console.error(`${JSON.stringify(cpu)}, ONNX Runtime ${onnxruntime}`);
  const sentences = labelled(test);
  const { model, settings } = await load(path);
  const tagger = await openTagger(path, { threads: 1 });
  const batches = await batchesOf(
    tagger,
    labelled(calibration)
      .slice(0, Number(count))
      .map(({ words: forms }) => forms),
  );
  await tagger.close();
  const tables = new Map();
  for (const method of methods) {
    tables.set(method, await collectRanges(model, int8.activations(model), batches, { method }));
  }
  const file = join(tmpdir(), `calibration-table-${process.pid}.onnx`);
  const row = (cells) => console.log(`| ${cells.join(" | ")} |`);
  try {
    const original = await judged(model, settings, sentences, file);
    const value = (result) => (100 * result.value).toFixed(3);
    row([
      "mode",
      "method",
      "granularity",
      "weights",
      original.metric,
      "loss, points",
      "flips",
      "MB",
      "sentences per CPU second",
    ]);
    row(Array.from({ length: 9 }, (_, column) => (column < 4 ? "---" : "---:")));
    row([
      "float32",
      "–",
      "–",
      "–",
      value(original),
      "–",
      "–",
      (original.bytes / 1e6).toFixed(2),
      original.perSecond.toFixed(0),
    ]);
    for (const [names, make] of configurations(model, batches, tables)) {
      if (only !== undefined && !names.join(" ").includes(only)) continue;
      const result = await judged(await make(), settings, sentences, file);
      row([
        ...names,
        value(result),
        (100 * (original.value - result.value)).toFixed(3),
        flips(original.predictions, result.predictions).length,
        (result.bytes / 1e6).toFixed(2),
        result.perSecond.toFixed(0),
      ]);
    }
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * Sentences of a file with one JSON array a line, which is what a process that measures itself can read without keeping
 * them.
 */
async function* lines(path) {
  for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line);
}

/** One measurement in a process of its own; prints JSON. */
async function measureOne(path, { calibration, method }) {
  const { model } = await load(path);
  const tagger = await openTagger(path, { threads: 1 });
  const from = performance.now();
  const cpu = cpuSeconds();
  const feeds = tagger.feedsOf(lines(calibration), { batchSize: 1 });
  const table = await collectRanges(model, int8.activations(model), feeds, { method });
  const seconds = (performance.now() - from) / 1000;
  const peakMegabytes = (process.resourceUsage().maxRSS * 1024) / 1e6;
  console.log(
    JSON.stringify({
      method,
      samples: table.samples,
      seconds,
      cpuSeconds: cpuSeconds() - cpu,
      peakMegabytes,
    }),
  );
  await tagger.close();
}

function inFreshProcess(path, sentences, method) {
  const file = join(tmpdir(), `calibration-${process.pid}.jsonl`);
  writeFileSync(file, sentences.map((words) => `${JSON.stringify(words)}\n`).join(""));
  const args = [fileURLToPath(import.meta.url), "one", path, "--calibration", file, "--method", method];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  rmSync(file);
  if (status !== 0) throw new Error(stderr);
  const { samples, seconds, cpuSeconds: cpu, peakMegabytes } = JSON.parse(stdout);
  console.log(
    `| ${method} | ${samples} | ${seconds.toFixed(2)} | ${cpu.toFixed(2)} | ${peakMegabytes.toFixed(0)} |`,
  );
}

function printCost(path, sets, names = methods) {
  console.log("| method | sentences | s | CPU s | peak MB |\n| --- | ---: | ---: | ---: | ---: |");
  for (const sentences of sets) for (const method of names) inFreshProcess(path, sentences, method);
}

const formsOf = (path, count) =>
  labelled(path)
    .slice(0, count)
    .map(({ words: forms }) => forms);

/** 50 and 5,000 sentences with the same longest ones among them: those decide how much memory one run takes. */
function printGrowth(path, { calibration }) {
  const many = formsOf(calibration, 5000);
  const longest = many.toSorted((a, b) => b.length - a.length).slice(0, 10);
  printCost(path, [[...many.slice(0, 40), ...longest], many], ["minmax", "entropy"]);
}

/** 66 tensors of 2,048 bins each: more than calibrating twelve layers watches (49). */
function printSearch() {
  const observers = Array.from({ length: 66 }, (_, tensor) => {
    const observer = histogramObserver(entropySearch({ levels: 256 }), { bins: 2048 });
    for (let sample = 0; sample < 20; sample++) {
      observer.observe(
        Float32Array.from(
          { length: 4096 },
          (__, i) => Math.sin(i * 7.3 + sample * 1.7 + tensor) ** 3 * (1 + (i % 97) / 10),
        ),
      );
    }
    return observer;
  });
  const from = performance.now();
  for (const observer of observers) observer.range();
  console.log(
    `entropy search of ${observers.length} tensors: ${((performance.now() - from) / 1000).toFixed(3)} s`,
  );
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    test: { type: "string" },
    calibration: { type: "string" },
    sentences: { type: "string", default: "200" },
    method: { type: "string", default: "minmax" },
    only: { type: "string" },
  },
});
const [command, model] = positionals;
if (command === "table") await printTable(model, values);
else if (command === "cost") printCost(model, [formsOf(values.calibration, Number(values.sentences))]);
else if (command === "growth") printGrowth(model, values);
else if (command === "search") printSearch();
else if (command === "one") await measureOne(model, values);
else {
  console.error(
    "usage: node bench/calibration-table.mjs table|cost|growth MODEL --calibration FILE [--test FILE] | search",
  );
  process.exitCode = 2;
}
