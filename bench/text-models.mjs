// A classifier of texts and an encoder of texts, made of UD English-EWT, and every way of quantizing them.
//
//   node bench/text-models.mjs make EWT --output DIR [--epochs 10]
//   node bench/text-models.mjs table DIR [--target 0.01] [--only TEXT] [--kind classifier|encoder]
//
// EWT is the folder of the treebank (en_ewt-ud-train.conllu, -dev, -test). `make` writes the five genres by sentence
// (answers, email, newsgroup, reviews, weblog, by the start of sent_id) as JSON Lines, trains DIR/genre on them from
// random weights, and DIR/sentences on averaged word vectors, which it makes of the words' neighbours. `table` runs the
// command as users do, with a gate on the development texts, and measures the files on the test texts, which the gate
// did not see, as rows of Markdown. The encoder's gate is on what its vectors keep of their neighbours.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seededRandom } from "../packages/core/dist/index.js";
import { parseConllu } from "../packages/formats/dist/conllu/index.js";
import {
  fineTuneClassifier,
  fineTuneEmbedder,
  randomTextBase,
  writeTextModel,
} from "../packages/tagger-training/dist/index.js";
import { openModel } from "../packages/workflow/dist/index.js";

const binary = fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));
const parts = ["train", "dev", "test"];
/** Width of the encoder, and of the word vectors that it learns. */
const width = 128;
const size = { layers: 2, hidden: width, heads: 4, intermediate: 512, positions: 128 };

/** Sentences with text, words and genre. */
function readTreebank(folder, part) {
  const path = join(folder, `en_ewt-ud-${part}.conllu`);
  if (!existsSync(path)) {
    console.error(`${path}: expected a file of UD English-EWT, got none; name the folder of the treebank`);
    process.exit(3);
  }
  return parseConllu(readFileSync(path, "utf8")).map(({ comments, rows }) => {
    const of = (key) =>
      comments
        .map((one) => new RegExp(`^#?\\s*${key} = (.*)$`).exec(one)?.[1])
        .find((one) => one !== undefined);
    return {
      text: of("text"),
      label: of("sent_id").split("-")[0],
      words: rows.filter(({ kind }) => kind === "word").map(({ form }) => form.toLowerCase()),
    };
  });
}

/**
 * Vectors of words by random indexing: the positive pointwise mutual information with words at most three places away,
 * each of which has a random direction.
 *
 * M. Sahlgren, "An Introduction to Random Indexing" (2005), with the weights of K. Church and P. Hanks (1990).
 */
function wordVectors(sentences) {
  const [counts, pairs] = [new Map(), new Map()];
  let total = 0;
  const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const { words } of sentences) {
    words.forEach((word, i) => {
      count(counts, word);
      for (let j = Math.max(0, i - 3); j <= Math.min(words.length - 1, i + 3); j++) {
        if (j === i) continue;
        total += 1;
        count(pairs, `${word}\t${words[j]}`);
      }
    });
  }
  const around = new Map();
  for (const [pair, times] of pairs) {
    const [word] = pair.split("\t");
    around.set(word, (around.get(word) ?? 0) + times);
  }
  const random = seededRandom(7);
  const directions = new Map(
    [...counts.keys()].map((word) => [word, Float64Array.from({ length: width }, () => random.normal())]),
  );
  const vectors = new Map([...counts.keys()].map((word) => [word, new Float64Array(width)]));
  for (const [pair, times] of pairs) {
    const [word, other] = pair.split("\t");
    const information = Math.log((times * total) / (around.get(word) * around.get(other)));
    if (information <= 0) continue;
    const [vector, direction] = [vectors.get(word), directions.get(other)];
    for (let i = 0; i < width; i++) vector[i] += information * direction[i];
  }
  const all = [...counts.values()].reduce((sum, times) => sum + times, 0);
  return { vectors, weightOf: (word) => 1e-3 / (1e-3 + (counts.get(word) ?? 0) / all) };
}

/** Averages of word vectors, frequent words counting less, without what all of them share; undefined without a word. */
function averages(sentences, { vectors, weightOf }) {
  return sentences.map(({ words }) => {
    const known = words.filter((word) => vectors.has(word));
    if (known.length === 0) return undefined;
    const sum = new Float64Array(width);
    for (const word of known) {
      const vector = vectors.get(word);
      const factor = weightOf(word) / (Math.hypot(...vector) || 1);
      for (let i = 0; i < width; i++) sum[i] += (factor * vector[i]) / known.length;
    }
    return sum;
  });
}

async function make(folder, output, epochs) {
  mkdirSync(output, { recursive: true });
  const treebank = Object.fromEntries(parts.map((part) => [part, readTreebank(folder, part)]));
  const lines = (name, rows) =>
    writeFileSync(join(output, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  for (const part of parts)
    lines(
      `genre-${part}.jsonl`,
      treebank[part].map(({ text, label }) => ({ text, label })),
    );
  const words = wordVectors(treebank.train);
  const raw = Object.fromEntries(parts.map((part) => [part, averages(treebank[part], words)]));
  const known = raw.train.filter((vector) => vector !== undefined);
  const mean = Float64Array.from(
    { length: width },
    (_, i) => known.reduce((sum, v) => sum + v[i], 0) / known.length,
  );
  const taught = {};
  for (const part of parts) {
    taught[part] = treebank[part].flatMap(({ text }, i) => {
      const centred = raw[part][i]?.map((value, k) => value - mean[k]);
      const length = centred === undefined ? 0 : Math.hypot(...centred);
      if (length === 0) return [];
      return [{ text, vector: Array.from(centred, (value) => Number((value / length).toFixed(4))) }];
    });
    lines(`vectors-${part}.jsonl`, taught[part]);
  }
  const base = randomTextBase(
    treebank.train.map(({ text }) => text),
    { size },
  );
  const options = {
    epochs,
    batchSize: 32,
    learningRate: 1e-3,
    warmUp: 0.06,
    weightDecay: 0.05,
    averageDecay: 0.998,
  };
  const onEvent = (event) => {
    if (event.event === "epoch")
      console.error(
        `epoch ${event.epoch}: loss ${event.loss.toFixed(4)}, ${event.metric?.toFixed(4)}, ${event.seconds.toFixed(0)} s`,
      );
  };
  const data = { train: treebank.train, validation: treebank.dev };
  const genre = await fineTuneClassifier(base, data, { ...options, labelSmoothing: 0.05, onEvent });
  await writeTextModel(join(output, "genre"), genre);
  console.log(
    `genre: development accuracy ${(100 * genre.scores.accuracy).toFixed(2)} %, macro F1 ${(100 * genre.scores.macroF1).toFixed(2)} %, best of ${genre.history.length} epochs: ${genre.bestEpoch}`,
  );
  const sentences = await fineTuneEmbedder(
    base,
    { train: taught.train, validation: taught.dev },
    { ...options, onEvent },
  );
  await writeTextModel(join(output, "sentences"), sentences);
  console.log(`sentences: development cosine to the averaged vectors ${sentences.cosine.toFixed(4)}`);
}

const readLines = (path) =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** What a model says of each text, one at a time: its label, or its vector. */
async function answers(path, texts) {
  const model = await openModel(path);
  const found = [];
  const started = performance.now();
  const said =
    model.kind === "sequence-classification"
      ? model.classify(texts, { batchSize: 1 })
      : model.embed(texts, { batchSize: 1 });
  for await (const one of said) found.push(one.label ?? one);
  const milliseconds = (performance.now() - started) / texts.length;
  await model.close();
  return { found, milliseconds };
}

const cosine = (a, b) => {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) [dot, aa, bb] = [dot + a[i] * b[i], aa + a[i] ** 2, bb + b[i] ** 2];
  return dot / Math.sqrt(aa * bb);
};

/** The ten nearest of each vector. */
const neighbours = (vectors) =>
  vectors.map((own, i) =>
    vectors
      .map((other, j) => [j === i ? -2 : cosine(own, other), j])
      .sort((a, b) => b[0] - a[0])
      .slice(0, 10)
      .map(([, j]) => j),
  );

const configurations = (calibration) => [
  ["dynamic", []],
  ["static, minmax", ["--mode", "static", "--calibration", calibration]],
  ["static, percentile", ["--mode", "static", "--method", "percentile", "--calibration", calibration]],
  ["static, entropy", ["--mode", "static", "--method", "entropy", "--calibration", calibration]],
  ["weight-only", ["--mode", "weight-only"]],
  ["int4", ["--mode", "int4"]],
];

function quantized(model, output, args, gate) {
  rmSync(output, { force: true });
  const run = spawnSync(
    process.execPath,
    [binary, "quantize", "--model", model, "--output", output, ...args, ...gate, "--json"],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    },
  );
  if (run.status === 0) return "passed";
  const message = JSON.parse(run.stdout || "{}").error?.message ?? run.stderr.trim();
  return run.status === 4
    ? `refused: ${message.slice(0, 160)}`
    : `failed (${run.status}): ${message.slice(0, 160)}`;
}

const megabytes = (path) => `${(statSync(path).size / 1e6).toFixed(2)} MB`;
const percent = (share) => (100 * share).toFixed(2);

function macroF1(gold, predicted) {
  const labels = [...new Set([...gold, ...predicted])];
  const f1 = labels.map((label) => {
    const [g, p] = [gold, predicted].map((all) => all.filter((one) => one === label).length);
    return (2 * gold.filter((one, i) => one === label && predicted[i] === label).length) / (g + p);
  });
  return f1.reduce((sum, value) => sum + value, 0) / f1.length;
}

async function classifierTable(folder, { target, only }) {
  const model = join(folder, "genre");
  const test = readLines(join(folder, "genre-test.jsonl"));
  const gold = test.map(({ label }) => label);
  const judge = async (file) => {
    const { found: predicted, milliseconds } = await answers(
      file,
      test.map(({ text }) => text),
    );
    const accuracy = gold.filter((label, i) => label === predicted[i]).length / gold.length;
    return { predicted, accuracy, f1: macroF1(gold, predicted), milliseconds };
  };
  const original = join(model, "onnx/model.onnx");
  const before = await judge(original);
  console.log(
    "| classifier | gate | size | accuracy | macro F1 | labels changed | ms a text |\n|---|---|---|---|---|---|---|",
  );
  const row = (name, gate, file, { accuracy, f1, milliseconds, predicted }) =>
    console.log(
      `| ${name} | ${gate} | ${megabytes(file)} | ${percent(accuracy)} | ${percent(f1)} | ${predicted.filter((one, i) => one !== before.predicted[i]).length} of ${gold.length} | ${milliseconds.toFixed(2)} |`,
    );
  row("float32", "", original, before);
  const gate = ["--target-accuracy-loss", target, "--validation", join(folder, "genre-dev.jsonl")];
  for (const [name, args] of configurations(`${join(folder, "genre-train.jsonl")}:200`)) {
    if (!name.includes(only)) continue;
    const output = join(folder, "quantized.onnx");
    const result = quantized(model, output, args, gate);
    if (result === "passed") row(name, result, output, await judge(output));
    else console.log(`| ${name} | ${result} | | | | | |`);
  }
}

async function encoderTable(folder, { only }) {
  const model = join(folder, "sentences");
  const texts = readLines(join(folder, "vectors-test.jsonl")).slice(0, 1000);
  const taught = texts.map(({ vector }) => vector);
  const of = (file) =>
    answers(
      file,
      texts.map(({ text }) => text),
    );
  const original = join(model, "onnx/model.onnx");
  const before = await of(original);
  const near = neighbours(before.found);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  console.log(
    "\n| encoder | gate | size | cosine to the taught vectors | cosine to float32, mean | 1st percentile | recall@10 | ms a text |\n|---|---|---|---|---|---|---|---|",
  );
  const row = (name, gate, file, { found, milliseconds }) => {
    const same = found.map((vector, i) => cosine(vector, before.found[i])).sort((a, b) => a - b);
    const kept = neighbours(found).map((list, i) => list.filter((one) => near[i].includes(one)).length / 10);
    console.log(
      `| ${name} | ${gate} | ${megabytes(file)} | ${mean(found.map((vector, i) => cosine(vector, taught[i]))).toFixed(4)} | ${mean(same).toFixed(5)} | ${same[Math.floor(0.01 * same.length)].toFixed(5)} | ${mean(kept).toFixed(4)} | ${milliseconds.toFixed(2)} |`,
    );
  };
  row("float32", "", original, before);
  const gate = ["--max-drift", "0.02", "--validation", join(folder, "vectors-dev.jsonl")];
  for (const [name, args] of configurations(`${join(folder, "vectors-train.jsonl")}:200`)) {
    if (!name.includes(only)) continue;
    const output = join(folder, "quantized.onnx");
    const result = quantized(model, output, args, gate);
    if (result === "passed") row(name, result, output, await of(output));
    else console.log(`| ${name} | ${result} | | | | | | |`);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: "string" },
    epochs: { type: "string", default: "10" },
    target: { type: "string", default: "0.01" },
    only: { type: "string", default: "" },
    kind: { type: "string" },
  },
});
const [command, folder] = positionals;
if (command === "make" && folder !== undefined && values.output !== undefined) {
  await make(folder, values.output, Number(values.epochs));
} else if (command === "table" && folder !== undefined) {
  if (values.kind !== "encoder") await classifierTable(folder, values);
  if (values.kind !== "classifier") await encoderTable(folder, values);
} else {
  console.error(
    "usage: node bench/text-models.mjs make EWT --output DIR [--epochs 10] | table DIR [--target 0.01]",
  );
  process.exit(2);
}
