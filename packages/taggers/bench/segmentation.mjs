// Word segmentation against a CoNLL-U file: F1 of words on each sentence's own `# text`, and of sentence ends where
// the sentences of a paragraph are joined again by spaces.
//   node packages/taggers/bench/segmentation.mjs FILE.conllu [--errors]
import { readFileSync } from "node:fs";
import { segmentSentence, segmentText } from "../dist/index.js";

const [path, flag] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write("usage: node segmentation.mjs FILE.conllu [--errors]\n");
  process.exit(2);
}

const bounds = (spans) => new Set([...spans].flatMap((span) => span.split("-").map(Number)));
const print = (line) => process.stdout.write(`${line}\n`);
const paragraphs = [];
const total = { gold: 0, found: 0, right: 0, sentences: 0, whole: 0 };
const missed = new Map();
let milliseconds = 0;
let characters = 0;

for (const block of readFileSync(path, "utf8").split(/\n\n/)) {
  const lines = block.split("\n");
  const text = lines.find((line) => line.startsWith("# text = "))?.slice(9);
  if (text === undefined) continue;
  if (paragraphs.length === 0 || lines.some((line) => /^# new(doc|par)/.test(line))) paragraphs.push([]);
  paragraphs.at(-1).push(text);
  const gold = goldSpans(lines, text);
  const start = performance.now();
  const { words } = segmentSentence(text);
  milliseconds += performance.now() - start;
  characters += text.length;
  const found = new Set(words.map((word) => `${word.start}-${word.end}`));
  const right = gold.filter((span) => found.has(span));
  total.gold += gold.length;
  total.found += found.size;
  total.right += right.length;
  total.sentences++;
  if (right.length === gold.length && found.size === gold.length) total.whole++;
  else if (flag === "--errors") {
    const [a, b] = [bounds(gold), bounds(found)];
    for (const at of new Set([...a, ...b])) {
      if (a.has(at) && b.has(at)) continue;
      const from = Math.max(text.lastIndexOf(" ", at - 1) + 1, 0);
      const to = text.indexOf(" ", at) < 0 ? text.length : text.indexOf(" ", at);
      const show = `${a.has(at) ? "join " : "split"} ${text.slice(from, at)}|${text.slice(at, to)}`;
      missed.set(show, (missed.get(show) ?? 0) + 1);
    }
  }
}

const f1 = (right, gold, found) => ((200 * right) / (gold + found)).toFixed(2);
print(
  `words: F1 ${f1(total.right, total.gold, total.found)} (${total.right} right of ${total.gold} gold, ${total.found} found)`,
);
print(
  `sentences with every word right: ${((100 * total.whole) / total.sentences).toFixed(2)} % of ${total.sentences}`,
);
print(`speed: ${((characters / milliseconds) * 1e-3).toFixed(2)} million characters/s`);

let [goldEnds, foundEnds, rightEnds] = [0, 0, 0];
for (const sentences of paragraphs) {
  const ends = new Set();
  let at = 0;
  for (const sentence of sentences) {
    ends.add(at + sentence.length);
    at += sentence.length + 1;
  }
  const found = segmentText(sentences.join(" "));
  goldEnds += ends.size;
  foundEnds += found.length;
  rightEnds += found.filter((sentence) => ends.has(sentence.end)).length;
}
print(`sentence ends inside paragraphs: F1 ${f1(rightEnds, goldEnds, foundEnds)}`);
for (const [show, count] of [...missed].sort((a, b) => b[1] - a[1]).slice(0, 120)) print(`${count} ${show}`);

/** Spans of the gold words: tokens follow each other in the text, words follow each other in their token. */
function goldSpans(lines, text) {
  const spans = [];
  let at = 0;
  let insideUntil = 0;
  for (const line of lines) {
    const [id, form] = line.split("\t");
    if (form === undefined || line.startsWith("#") || id.includes(".")) continue;
    if (id.includes("-")) {
      at = text.indexOf(form, at);
      insideUntil = Number(id.split("-")[1]);
      continue;
    }
    const start = Number(id) <= insideUntil ? at : text.indexOf(form, at);
    at = start + form.length;
    spans.push(`${start}-${at}`);
  }
  return spans;
}
