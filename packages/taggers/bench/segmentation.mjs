// Words and sentences of raw text against CoNLL-U files, as the CoNLL 2018 shared task counts them: F1 of word spans
// (inside multiword tokens, of forms in order) and F1 of sentence spans, white space not counted. The raw text is made
// of the files' words and `SpaceAfter=No`; `# newdoc` and `# newpar` begin a paragraph behind an empty line.
//   node packages/taggers/bench/segmentation.mjs FILE.conllu... [--language da] [--errors]
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { segmentText } from "../dist/index.js";

const {
  values: { language, errors: showErrors },
  positionals: paths,
} = parseArgs({
  allowPositionals: true,
  options: { language: { type: "string" }, errors: { type: "boolean", default: false } },
});
const print = (line) => process.stdout.write(`${line}\n`);
if (paths.length === 0) {
  process.stderr.write("usage: node segmentation.mjs FILE.conllu... [--language TAG] [--errors]\n");
  process.exit(2);
}
const absent = paths.filter((path) => !existsSync(path));
if (absent.length > 0) {
  process.stderr.write(
    `segmentation.mjs: no such file: ${absent.join(", ")}; give UD CoNLL-U files of your own\n`,
  );
  process.exit(3);
}

print("file, words: precision, recall, F1, sentences: precision, recall, F1, million characters/s");
for (const path of paths) measure(path);

function measure(path) {
  const gold = readGold(readFileSync(path, "utf8"));
  const start = performance.now();
  const found = segmentText(gold.text, { language });
  const milliseconds = performance.now() - start;
  const system = withoutSpace(gold.text, found);
  const words = share(alignedWords(gold.words, system.words), gold.words.length, system.words.length);
  const ends = new Set(gold.sentences.map(({ start, end }) => `${start}-${end}`));
  const right = system.sentences.filter(({ start, end }) => ends.has(`${start}-${end}`)).length;
  const sentences = share(right, gold.sentences.length, system.sentences.length);
  const speed = (gold.text.length / milliseconds / 1000).toFixed(2);
  print([path.replace(/^.*[/\\]/, ""), words, sentences, speed].join(", "));
  if (showErrors) printErrors(gold, system);
}

function share(right, gold, found) {
  return [right / found, right / gold, (2 * right) / (gold + found)]
    .map((x) => (100 * x).toFixed(2))
    .join(", ");
}

/** Text, and words and sentences in characters that are no white space. */
function readGold(content) {
  let text = "";
  let plain = "";
  const words = [];
  const sentences = [];
  for (const block of content.split(/\n\n+/)) {
    const lines = block.split("\n");
    const rows = lines.filter((line) => /^\d/.test(line)).map((line) => line.split("\t"));
    if (rows.length === 0) continue;
    if (text !== "" && lines.some((line) => /^# new(?:doc|par)/.test(line))) text = `${text.trimEnd()}\n\n`;
    const sentenceStart = plain.length;
    let insideUntil = 0;
    let token;
    for (const [id, form, , , , , , , , misc] of rows) {
      if (id.includes(".")) continue;
      if (id.includes("-") || Number(id) > insideUntil) {
        const start = plain.length;
        plain += form.replace(/\s/gu, "");
        text += form + (/(?:^|\|)SpaceAfter=No(?:\||$)/.test(misc) ? "" : " ");
        token = { start, end: plain.length };
      }
      if (id.includes("-")) insideUntil = Number(id.split("-")[1]);
      else words.push({ ...token, form: form.toLowerCase(), isMultiword: Number(id) <= insideUntil });
    }
    sentences.push({ start: sentenceStart, end: plain.length });
  }
  return { text, plain, words, sentences };
}

function withoutSpace(text, found) {
  const at = new Int32Array(text.length + 1);
  for (let i = 0; i < text.length; i++) at[i + 1] = at[i] + (/\s/u.test(text[i]) ? 0 : 1);
  const words = [];
  const sentences = found.map((sentence) => {
    const tokenOf = new Map();
    for (const token of sentence.multiwordTokens) {
      for (let i = token.firstWord; i < token.wordsEnd; i++) tokenOf.set(i, token);
    }
    sentence.words.forEach((word, i) => {
      const { start, end } = tokenOf.get(i) ?? word;
      words.push({
        start: at[start],
        end: at[end],
        form: word.form.toLowerCase(),
        isMultiword: tokenOf.has(i),
      });
    });
    return { start: at[sentence.start], end: at[sentence.end] };
  });
  return { words, sentences };
}

/** How many words are found, each gold word once. */
function alignedWords(gold, system) {
  let right = 0;
  let g = 0;
  let s = 0;
  while (g < gold.length && s < system.length) {
    if (!gold[g].isMultiword && !system[s].isMultiword) {
      const [a, b] = [gold[g], system[s]];
      if (a.start === b.start && a.end === b.end) right++;
      if (a.start <= b.start) g++;
      if (b.start <= a.start) s++;
      continue;
    }
    // All words of the tokens that overlap: the longest common subsequence of their forms counts.
    let end = Math.max(gold[g].isMultiword ? gold[g].end : 0, system[s].isMultiword ? system[s].end : 0);
    const isBefore = (word) => word !== undefined && (word.isMultiword ? word.start < end : word.end <= end);
    const [firstGold, firstSystem] = [g, s];
    for (let grown = true; grown; ) {
      grown = false;
      for (; isBefore(gold[g]); g++, grown = true) if (gold[g].isMultiword) end = Math.max(end, gold[g].end);
      for (; isBefore(system[s]); s++, grown = true)
        if (system[s].isMultiword) end = Math.max(end, system[s].end);
    }
    right += commonLength(gold.slice(firstGold, g), system.slice(firstSystem, s));
  }
  return right;
}

function commonLength(a, b) {
  let row = Array.from({ length: b.length + 1 }, () => 0);
  for (const { form } of a) {
    const next = [0];
    b.forEach((other, j) => next.push(form === other.form ? row[j] + 1 : Math.max(row[j + 1], next[j])));
    row = next;
  }
  return row[b.length];
}

/** Borders of words and ends of sentences that only one side has, the most frequent first. */
function printErrors({ plain, words, sentences }, system) {
  const counts = new Map();
  const compare = (kind, before, gold, found) => {
    for (const at of new Set([...gold, ...found])) {
      if (gold.has(at) && found.has(at)) continue;
      const verb = gold.has(at) ? "missing" : "spurious";
      const show = `${kind} ${verb} ${plain.slice(at - before, at)}|${plain.slice(at, at + before)}`;
      counts.set(show, (counts.get(show) ?? 0) + 1);
    }
  };
  const ends = (spans) => new Set(spans.map(({ end }) => end));
  compare("word", 12, ends(words), ends(system.words));
  compare("sentence", 30, ends(sentences), ends(system.sentences));
  for (const [show, count] of [...counts].sort((a, b) => b[1] - a[1])) print(`${count} ${show}`);
}
