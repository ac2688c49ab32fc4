// Writes the names among the entities of a GUM treebank file as IOB2 columns with PER, LOC and ORG. GUM marks whole
// noun phrases ("the old mayor of Salt Lake City"); a name is what is left of a person, place or organization whose
// head is a proper noun, cut down to the proper nouns around that head.
//   node scripts/english-models/gum-names.mjs --input gum-open-train.conllu --output gum-names.iob2
import { parseArgs } from "node:util";
import { commentValue, words as wordsOf } from "../../packages/formats/dist/conllu/index.js";
import { readConlluFile } from "../../packages/formats/dist/conllu/node.js";
import { writeFileAtomic } from "../../packages/formats/dist/archive/node.js";

const { values } = parseArgs({ options: { input: { type: "string" }, output: { type: "string" } } });
if (values.input === undefined || values.output === undefined) {
  console.error("--input or --output is missing; see the comment at the head of this script");
  process.exit(2);
}

const types = { person: "PER", place: "LOC", organization: "ORG" };
/** Forms of address are no part of a name in Universal NER. */
const titles = new Set(
  "Mr. Mr Mrs. Mrs Ms. Ms Miss Dr. Dr Prof. Prof Professor President Senator Governor Mayor King Queen Prince Princess Pope Saint Sir Lord Lady Captain General Colonel Lieutenant Sergeant Judge Justice Minister Secretary Chancellor Bishop Archbishop Rev. Reverend Father Sister Brother Uncle Aunt Mom Dad Grandma Grandpa Chairman Congressman Representative Rep. Sen. Gov. Gen. Col. Capt. Lt. Sgt.".split(
    " ",
  ),
);
/** Words between two parts of one name: "University of Utah", "Johnson & Johnson". */
const links = {
  PER: new Set(["-", "de", "du", "van", "von", "der", "la"]),
  LOC: new Set(["of", "the", "-", "de", "du", "la"]),
  ORG: new Set(["of", "the", "&", "-", "de", "du", "la"]),
};

/** Noun phrases of a sentence: `(7-person-…` opens, `7)` closes, `(7-person-…)` is of one word. */
function phrasesOf(words) {
  const open = new Map();
  const found = [];
  words.forEach(({ misc }, i) => {
    const marks = /(?:^|\|)Entity=([^|]*)/.exec(misc)?.[1] ?? "";
    for (const [, opened, type, closesToo, closed] of marks.matchAll(
      /\((\d+)(?:\[[^\]]*\])?-([a-z]+)[^()]*(\))?|(\d+)(?:\[[^\]]*\])?\)/g,
    )) {
      if (opened !== undefined && closesToo !== undefined) found.push({ type, start: i, end: i + 1 });
      else if (opened !== undefined) open.set(opened, [...(open.get(opened) ?? []), { type, start: i }]);
      else {
        const last = open.get(closed)?.pop();
        if (last !== undefined) found.push({ ...last, end: i + 1 });
      }
    }
  });
  return found;
}

/** The word of a phrase whose own head is outside it. */
function headOf(words, { start, end }) {
  for (let i = start; i < end; i++) {
    const head = Number(words[i].head) - 1;
    if (head < start || head >= end) return i;
  }
  return start;
}

function nameOf(words, phrase) {
  // Adjectives in names have the tag of names: "New" of "New York" is ADJ and NNP.
  const isName = (i) => i >= phrase.start && i < phrase.end && /^NNPS?$/.test(words[i].xpos);
  const head = headOf(words, phrase);
  const type = types[phrase.type];
  if (type === undefined || words[head].upos !== "PROPN") return undefined;
  // Peoples ("Americans") are no entities in Universal NER.
  if (type === "PER" && words[head].xpos === "NNPS") return undefined;
  /** Next part of the name from `i` in a direction, over at most two words that link. */
  const step = (i, by) => {
    for (let gap = 0; gap <= 2; gap++) {
      const next = i + by * (gap + 1);
      if (isName(next)) return next;
      if (next < phrase.start || next >= phrase.end || !links[type].has(words[next].form)) return undefined;
    }
    return undefined;
  };
  let [first, last] = [head, head];
  for (let next = step(first, -1); next !== undefined; next = step(first, -1)) first = next;
  for (let next = step(last, 1); next !== undefined; next = step(last, 1)) last = next;
  if (type === "PER") while (first < last && titles.has(words[first].form)) first++;
  if (type === "PER" && first === last && titles.has(words[first].form)) return undefined;
  return { type, start: first, end: last + 1 };
}

const lines = [];
let count = 0;
for await (const sentence of readConlluFile(values.input)) {
  const words = wordsOf(sentence);
  const names = phrasesOf(words)
    .map((phrase) => nameOf(words, phrase))
    .filter((name) => name !== undefined)
    // The longest where names hold names.
    .sort((a, b) => b.end - b.start - (a.end - a.start));
  const labels = words.map(() => "O");
  for (const { type, start, end } of names) {
    if (labels.slice(start, end).some((label) => label !== "O")) continue;
    for (let i = start; i < end; i++) labels[i] = `${i === start ? "B" : "I"}-${type}`;
    count++;
  }
  lines.push(`# sent_id = ${commentValue(sentence, "sent_id")}`);
  words.forEach(({ form }, i) => lines.push(`${i + 1}\t${form}\t${labels[i]}`));
  lines.push("");
}
const { bytes } = await writeFileAtomic(values.output, [new TextEncoder().encode(`${lines.join("\n")}\n`)]);
console.log(JSON.stringify({ output: values.output, bytes, names: count }));
