// Read a treebank sentence by sentence and count its parts of speech.
//   node read-conllu.mjs [FILE.conllu]
import { fileURLToPath } from "node:url";
import { words } from "@nasty/formats/conllu";
import { readConlluFile } from "@nasty/formats/conllu/node";
import { sampleConllu } from "@nasty/model-en";

const path = process.argv[2] ?? fileURLToPath(sampleConllu);
const counts = new Map();
for await (const sentence of readConlluFile(path)) {
  for (const { upos } of words(sentence)) counts.set(upos, (counts.get(upos) ?? 0) + 1);
}
for (const [upos, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(upos.padEnd(6), count);
