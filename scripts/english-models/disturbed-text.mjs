// Writes a treebank file as people might have typed it, to see how taggers hold up: the words are spelled otherwise,
// the parts of speech stay, all else is left out.
//   node scripts/english-models/disturbed-text.mjs --input en_ewt-ud-dev.conllu --kind lower|upper|title|typing|apostrophes|punctuation|quotes|elongation --output lower.conllu [--seed 1]
import { parseArgs } from "node:util";
import { words as wordsOf } from "../../packages/formats/dist/conllu/index.js";
import { readConlluFile } from "../../packages/formats/dist/conllu/node.js";
import { writeFileAtomic } from "../../packages/formats/dist/archive/node.js";
import { seededRandom } from "../../packages/core/dist/index.js";
import { defaultNoise, disturb } from "../../packages/tagger-training/dist/index.js";

const { values } = parseArgs({
  options: {
    input: { type: "string" },
    kind: { type: "string" },
    output: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});
const kinds = Object.keys(defaultNoise).filter((name) => name !== "share" && name !== "typingPerWord");
if (values.input === undefined || values.output === undefined || !kinds.includes(values.kind)) {
  console.error(`--input, --output or --kind (${kinds.join(", ")}) is missing; see the head of this script`);
  process.exit(2);
}

const none = Object.fromEntries(kinds.map((name) => [name, 0]));
const noise = { ...defaultNoise, ...none, share: 1, [values.kind]: 1 };
const random = seededRandom(Number(values.seed));
const lines = [];
for await (const sentence of readConlluFile(values.input)) {
  const words = wordsOf(sentence);
  const changed = disturb(
    words.map(({ form }) => form),
    noise,
    random,
  );
  changed.words.forEach((form, i) => {
    lines.push([i + 1, form, "_", words[changed.places[i]].upos, ..."______"].join("\t"));
  });
  lines.push("");
}
await writeFileAtomic(values.output, [new TextEncoder().encode(`${lines.join("\n")}\n`)]);
