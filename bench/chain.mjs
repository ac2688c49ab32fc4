// What is left of an ensemble of teachers at the end of a chain: accuracy, size and speed of the teachers, of their
// average, and of each model made from them, as a Markdown table.
//   node bench/chain.mjs --test FILE.conllu|FILE.iob2 --teacher a.onnx [--teacher DIRECTORY]… [--model student.onnx]… [--limit N]
// Every model tags every sentence of FILE once, one by one, on one thread; the models take turns every 25 sentences, so
// that a busy moment of the machine falls on all of them. The average is computed in float32 from the teachers'
// probabilities; its time is the sum of theirs. "gzip" is the size of the file at level 9 (its own size if it is
// compressed); "smaller" compares the file's size with the teachers' together.
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { readConlluFile } from "../packages/formats/dist/conllu/node.js";
import { isHfDirectory, openHfDirectory } from "../packages/formats/dist/hf/node.js";
import { parseColumns } from "../packages/formats/dist/iob/index.js";
import { labelledWords, score } from "../packages/taggers/dist/index.js";
import { openTagger } from "../packages/taggers/dist/node.js";
import { openTeachers, teacherTargets } from "../packages/tagger-training/dist/index.js";

const { values } = parseArgs({
  options: {
    test: { type: "string" },
    teacher: { type: "string", multiple: true, default: [] },
    model: { type: "string", multiple: true, default: [] },
    limit: { type: "string", default: "Infinity" },
  },
});
if (values.test === undefined || values.teacher.length === 0) {
  console.error("--test or --teacher is missing; see the comment at the head of this script");
  process.exit(2);
}
const turn = 25;
const threads = 1;

async function readGold(path) {
  const read = [];
  if (path.endsWith(".conllu")) {
    for await (const sentence of labelledWords(readConlluFile(path))) read.push(sentence);
  } else {
    read.push(...parseColumns(await readFile(path, "utf8"), { name: basename(path) }));
  }
  return read.filter(({ words }) => words.length > 0).slice(0, Number(values.limit));
}

async function sizesOf(path) {
  const file = (await isHfDirectory(path)) ? (await openHfDirectory(path)).modelPath() : path;
  const { size } = await stat(file);
  return { size, gzip: /\.(gz|br)$/.test(file) ? size : gzipSync(await readFile(file), { level: 9 }).length };
}

const gold = await readGold(values.test);
const sentences = gold.map(({ words }) => words);
const paths = [...values.teacher, ...values.model];
const entries = [];
for (const path of paths) {
  entries.push({
    path,
    tagger: await openTagger(path, { threads }),
    ...(await sizesOf(path)),
    system: [],
    turns: [],
  });
}
for (const { tagger } of entries)
  for await (const _ of tagger.tag(sentences.slice(0, turn), { batchSize: 1 }));
for (let start = 0; start < sentences.length; start += turn) {
  const some = sentences.slice(start, start + turn);
  // Another one begins each time.
  const first = (start / turn) % entries.length;
  for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
    const before = performance.now();
    for await (const labels of entry.tagger.tag(some, { batchSize: 1 })) entry.system.push(labels);
    entry.turns[start / turn] = performance.now() - before;
  }
}
const { task, labels } = entries[0].tagger;
for (const { tagger } of entries) await tagger.close();

const valueOf = async (system) => {
  const rows = system.map((labelsOfOne, i) => ({ words: sentences[i], labels: labelsOfOne }));
  return (await score(gold, rows, { task })).value;
};

/**
 * Most probable labels of the mean of the teachers' probabilities; entity labels are not made to follow their scheme.
 */
async function averaged() {
  const teachers = await openTeachers(values.teacher);
  const order = teachers[0].settings.labels;
  const targets = await teacherTargets(teachers, sentences, { labels: order, temperature: 1, threads });
  return targets.map((target, i) =>
    sentences[i].map((_, word) => {
      const row = target.subarray(word * order.length, (word + 1) * order.length);
      return order[row.indexOf(Math.max(...row))];
    }),
  );
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const teachers = entries.slice(0, values.teacher.length);
const ensemble = {
  name: `the ${teachers.length} teachers averaged`,
  size: sum(teachers.map(({ size }) => size)),
  gzip: sum(teachers.map(({ gzip }) => gzip)),
  turns: teachers[0].turns.map((_, t) => sum(teachers.map(({ turns }) => turns[t]))),
  system: teachers.length === 1 ? teachers[0].system : await averaged(),
};
const rows = [
  ...(teachers.length === 1 ? [] : teachers),
  teachers.length === 1 ? { ...ensemble, name: basename(teachers[0].path) } : ensemble,
  ...entries.slice(values.teacher.length),
];
const reference = await valueOf(ensemble.system);
const metric = task === "pos" ? "accuracy" : "F1";
console.log(
  `${sentences.length} sentences, ${sum(sentences.map(({ length }) => length))} words, ${labels.length} labels\n`,
);
console.log(`| model | ${metric} | loss, points | MB | gzip, MB | ms/sentence | smaller | faster |`);
console.log("|---|---|---|---|---|---|---|---|");
for (const { name, path, size, gzip, turns, system } of rows) {
  const value = await valueOf(system);
  const cells = [
    name ?? basename(path),
    `${(value * 100).toFixed(3)} %`,
    ((reference - value) * 100).toFixed(3),
    (size / 1e6).toFixed(3),
    (gzip / 1e6).toFixed(3),
    (sum(turns) / sentences.length).toFixed(3),
    `${(ensemble.size / size).toFixed(1)}×`,
    `${(sum(ensemble.turns) / sum(turns)).toFixed(2)}×`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
