// Labels raw text with the entities that taggers agree on, as more text for train-ner.mjs (--extra), in IOB2 columns.
//   node scripts/english-models/silver-names.mjs --teacher a.onnx --teacher b.onnx --input blogs.txt[:LIMIT] [--input MORE]… --output silver.iob2 [--least 0.7]
// The taggers' probabilities are averaged; a sentence is kept if no word of it is less sure than --least. Text without
// any entity is kept for one sentence in three, since most text has none.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { openTeachers, teacherTargets } from "../../packages/tagger-training/dist/index.js";
import { rawSentences, sourceOf } from "./raw-text.mjs";

const { values } = parseArgs({
  options: {
    teacher: { type: "string", multiple: true, default: [] },
    input: { type: "string", multiple: true, default: [] },
    output: { type: "string" },
    least: { type: "string", default: "0.7" },
  },
});
if (values.output === undefined || values.teacher.length === 0 || values.input.length === 0) {
  console.error("--teacher, --input or --output is missing; see the comment at the head of this script");
  process.exit(2);
}

const sentences = (await Promise.all(values.input.map((input) => rawSentences(sourceOf(input))))).flat();
const teachers = await openTeachers(values.teacher);
const { labels } = teachers[0].settings;
const targets = await teacherTargets(teachers, sentences, { labels, temperature: 1, threads: 1 });
const least = Math.log(Number(values.least));
const rows = [];
let [kept, plain, entities] = [0, 0, 0];
sentences.forEach((words, s) => {
  const best = words.map((_, w) => {
    const scores = targets[s].subarray(w * labels.length, (w + 1) * labels.length);
    const score = Math.max(...scores);
    return { score, label: labels[scores.indexOf(score)] };
  });
  if (best.some(({ score }) => score < least)) return;
  const found = best.map(({ label }) => label);
  // An entity begins with B, and goes on with I of its type.
  const broken = found.some(
    (label, w) => label.startsWith("I-") && found[w - 1]?.slice(2) !== label.slice(2),
  );
  if (broken) return;
  const begun = found.filter((label) => label.startsWith("B-")).length;
  if (begun === 0 && plain++ % 3 !== 0) return;
  kept++;
  entities += begun;
  rows.push(`${words.map((word, w) => `${word}\t${found[w]}`).join("\n")}\n`);
});
await writeFile(values.output, rows.join("\n"));
console.log(JSON.stringify({ sentences: sentences.length, kept, entities }));
