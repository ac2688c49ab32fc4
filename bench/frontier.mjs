// Taggers by size, accuracy and speed: prints a table, smallest first, and draws which of them are worth their bytes.
//   node bench/frontier.mjs --test en_ewt-ud-test.conllu --model NAME=FILE [--model …]… [--rounds 5] [--plot frontier.svg]
// Size is that of the file with gzip. Accuracy: one sentence at a time, gold words. Speed: words a second of one
// thread, the taggers in turns, the median of the rounds; in batches as the tagger makes them, and a sentence at a
// time.
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { gunzip, gzip, isGzip } from "../packages/formats/dist/archive/index.js";
import { evaluate } from "../packages/taggers/dist/index.js";
import { openTagger } from "../packages/taggers/dist/node.js";
import { readLabelled } from "../packages/workflow/dist/texts/labelled-text.js";
import { openCanvas } from "../packages/workflow/dist/report/html/plots/canvas.js";
import { drawFrontier, frontierOf } from "../packages/workflow/dist/report/html/plots/frontier.js";

const { values } = parseArgs({
  options: {
    test: { type: "string" },
    model: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "5" },
    plot: { type: "string" },
  },
});
if (values.test === undefined || values.model.length === 0) {
  console.error("--test or --model is missing; see the comment at the head of this script");
  process.exit(2);
}

async function gzipSize(path) {
  const file = await readFile(path);
  return (await gzip(isGzip(file) ? await gunzip(file) : file)).length;
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

const entries = [];
for (const given of values.model) {
  const [, name, path] = /^(?:([^=/]+)=)?(.*)$/.exec(given);
  const tagger = await openTagger(path, { session: { threads: 1 } });
  const sentences = [];
  for await (const sentence of readLabelled(values.test, tagger.task)) sentences.push(sentence);
  const { value, metric } = await evaluate(tagger, sentences, { batchSize: 1 });
  entries.push({
    name: name ?? path,
    bytes: await gzipSize(path),
    value,
    metric,
    tagger,
    words: sentences.map(({ words }) => words),
    batched: [],
    single: [],
  });
}
entries.sort((a, b) => a.bytes - b.bytes);

async function speedOf({ tagger, words }, options) {
  const count = words.reduce((sum, { length }) => sum + length, 0);
  const start = performance.now();
  for await (const _ of tagger.tag(words, options));
  return (1000 * count) / (performance.now() - start);
}

for (let round = 0; round < Number(values.rounds); round++) {
  for (const entry of entries) {
    entry.batched.push(await speedOf(entry, undefined));
    entry.single.push(await speedOf({ ...entry, words: entry.words.slice(0, 500) }, { batchSize: 1 }));
  }
}
for (const { tagger } of entries) await tagger.close();

const models = entries.map(({ name, bytes, value }, i) => ({ name, sign: String(i + 1), bytes, value }));
const worthIt = new Set(frontierOf(models));
const thousands = (list) => Math.round(median(list) / 100) / 10;
console.log("| | model | MB with gzip | % | thousand words/s | a sentence at a time | on the frontier |");
console.log("|---|---|---|---|---|---|---|");
entries.forEach(({ name, bytes, value, batched, single }, i) => {
  const cells = [
    i + 1,
    name,
    (bytes / 1e6).toFixed(2),
    (100 * value).toFixed(2),
    thousands(batched),
    thousands(single),
  ];
  console.log(`| ${cells.join(" | ")} | ${worthIt.has(models[i]) ? "yes" : ""} |`);
});

if (values.plot !== undefined) {
  const figure = drawFrontier(await openCanvas(), entries[0].metric, models);
  const svg = figure
    .slice(figure.indexOf("<svg"), figure.lastIndexOf("</svg>") + 6)
    .replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg" color="#555"')
    .replaceAll("var(--third)", "#1b7f5c")
    .replaceAll("var(--mark)", "#8a94a6");
  await writeFile(values.plot, `${svg}\n`);
}
