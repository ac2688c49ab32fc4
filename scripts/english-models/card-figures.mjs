// Prints the figures of a model's card as Markdown: for each labelled text accuracy or F1 with its 95 % interval, every
// label's figures, and what is taken for what most often; and the size of the file.
//   node scripts/english-models/card-figures.mjs --model FILE --test [NAME=]FILE… [--test …] [--confusions 5] [--as TYPE=TYPE]…
// One sentence is tagged at a time, so that the values are those of `nasty eval --exact-batches`. The interval is
// between the percentiles of 2,000 draws of the sentences with replacement (seed 1). --as gives the entities of a type
// in the texts the name that the model has for it, as in --as person=PER, or leaves them out (--as MISC=O).
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { gunzip, gzip, isGzip } from "../../packages/formats/dist/archive/index.js";
import { hyphenated, makeSpanReader } from "../../packages/formats/dist/iob/index.js";
import { evaluate, lossInterval } from "../../packages/taggers/dist/index.js";
import { openTagger } from "../../packages/taggers/dist/node.js";
import { readLabelled } from "../../packages/workflow/dist/texts/labelled-text.js";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    test: { type: "string", multiple: true, default: [] },
    confusions: { type: "string", default: "5" },
    as: { type: "string", multiple: true, default: [] },
  },
});
const most = Number(values.confusions);
if (values.model === undefined || values.test.length === 0 || !Number.isInteger(most)) {
  console.error("--model or --test is missing; see the comment at the head of this script");
  process.exit(2);
}

const percent = (share) => (100 * share).toFixed(2);
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** How sure a figure is: what is lost against a model that is never right. */
function intervalOf({ metric, sentenceCounts }) {
  const none = sentenceCounts.map((counts) => ({ ...counts, correct: 0 }));
  const { low, high } = lossInterval(metric, sentenceCounts, none);
  return `${percent(low)}–${percent(high)}`;
}

/** Adds what became of the words of a sentence. */
function countWords(gold, predicted, add) {
  gold.forEach((label, i) => {
    if (label !== predicted[i]) add(label, `${label} taken for ${predicted[i]}`);
  });
}

/** Adds what became of the entities of a sentence: found elsewhere, of another type, missed, or made up. */
function countEntities(gold, predicted, add) {
  const overlap = (one, other) => one.start < other.end && other.start < one.end;
  const alike = (one, other) => one.start === other.start && one.end === other.end;
  for (const entity of gold) {
    const found = predicted.filter((other) => overlap(entity, other));
    const exact = found.find((other) => alike(entity, other));
    if (exact !== undefined) {
      if (exact.type !== entity.type) add(entity.type, `${entity.type} taken for ${exact.type}`);
    } else if (found.length === 0) add(entity.type, `${entity.type} missed`);
    else if (found.some(({ type }) => type === entity.type))
      add(entity.type, `${entity.type} with other words`);
    else add(entity.type, `${entity.type} taken for ${found[0].type} with other words`);
  }
  for (const entity of predicted) {
    if (!gold.some((other) => overlap(entity, other))) add(entity.type, `${entity.type} where there is none`);
  }
}

/** What is wrong how often: over all, and by label. */
function confusionsOf(sentences, { predictions, task, labelling, goldLabelling }) {
  const all = new Map();
  const byLabel = new Map();
  const count = (counts, what) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const add = (label, what) => {
    count(all, what);
    if (!byLabel.has(label)) byLabel.set(label, new Map());
    count(byLabel.get(label), what);
  };
  const reader = ({ form }) => makeSpanReader(form ?? hyphenated("BIOES"));
  const [goldSpans, predictedSpans] = [reader(goldLabelling), reader(labelling)];
  sentences.forEach(({ labels }, i) => {
    if (task === "pos") countWords(labels, predictions[i], add);
    else countEntities(goldSpans(labels), predictedSpans(predictions[i]), add);
  });
  const first = (counts) =>
    [...counts]
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, most)
      .map(([what, times]) => `${what} ${times}`);
  return { all: first(all), of: (label) => first(byLabel.get(label) ?? new Map()) };
}

const names = new Map(values.as.map((pair) => pair.split("=")));

/** A label of the texts as the model has it. */
function renamed(label) {
  const [, position, type] = /^(\w-)?(.*)$/.exec(label);
  const name = names.get(type) ?? type;
  return name === "O" ? name : `${position ?? ""}${name}`;
}

const tagger = await openTagger(values.model);
const overall = [];
const parts = [];
for (const given of values.test) {
  const [, name, path] = /^(?:([^=/]+)=)?(.*)$/.exec(given);
  const sentences = [];
  for await (const sentence of readLabelled(path, tagger.task)) {
    sentences.push({ ...sentence, labels: sentence.labels.map(renamed) });
  }
  const result = await evaluate(tagger, sentences, { path: basename(path) });
  const title = name ?? basename(path);
  const isPos = result.metric === "accuracy";
  overall.push([
    title,
    result.sentences,
    result.tokens,
    `${percent(result.value)} (${intervalOf(result)})`,
    ...(isPos ? [] : [percent(result.precision), percent(result.recall)]),
  ]);
  const confusions = confusionsOf(sentences, result);
  const rows = result.perLabel.map(({ label, support, precision, recall, f1 }) => [
    label,
    support,
    ...[precision, recall, f1].map(percent),
    confusions.of(label).join(", "),
  ]);
  parts.push(
    `## ${title}\n\n${table(["label", "gold", "precision", "recall", "F1", "most often"], rows)}\n`,
    `Most often over all labels: ${confusions.all.join(", ")}.\n`,
  );
}
const figure = tagger.task === "pos" ? ["accuracy % (95 %)"] : ["F1 % (95 %)", "precision", "recall"];
const taskRow = `${tagger.task}, ${tagger.labels.length} labels: ${tagger.labels.join(" ")}`;
await tagger.close();

const file = await readFile(values.model);
const bytes = isGzip(file) ? await gunzip(file) : file;
const megabytes = (count) => `${(count / 1e6).toFixed(2)} MB (${count.toLocaleString("en")} bytes)`;
console.log(`# ${basename(values.model)}\n`);
console.log(`${taskRow}\n`);
console.log(
  table(
    ["size", ""],
    [
      ["file", megabytes(file.length)],
      ["unpacked", megabytes(bytes.length)],
      ["with gzip", megabytes((await gzip(bytes)).length)],
    ],
  ),
);
console.log(`\n${table(["text", "sentences", "words", ...figure], overall)}\n`);
console.log(parts.join("\n"));
