// Prints how often part-of-speech taggers are right on a treebank file as it is, and with each kind of noise in every
// sentence (a typing error in 12 % of the longer words, one drawn-out vowel a sentence), in percent of gold words.
//   node scripts/english-models/robustness.mjs --test en_ewt-ud-dev.conllu --model a.onnx [--model b.onnx.gz]… [--seed 1]
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { evaluate } from "../../packages/taggers/dist/index.js";
import { openTagger } from "../../packages/taggers/dist/node.js";
import { disturbedSentences, noiseKinds } from "./disturbed-sentences.mjs";
import { treebankSentences } from "./training-run.mjs";

const { values } = parseArgs({
  options: {
    test: { type: "string" },
    model: { type: "string", multiple: true, default: [] },
    seed: { type: "string", default: "1" },
  },
});
if (values.test === undefined || values.model.length === 0) {
  console.error("--test or --model is missing; see the comment at the head of this script");
  process.exit(2);
}

const texts = [["as it is", await treebankSentences([values.test])]];
for (const kind of noiseKinds)
  texts.push([kind, await disturbedSentences(values.test, kind, Number(values.seed))]);

const columns = [];
for (const path of values.model) {
  const tagger = await openTagger(path);
  const column = [];
  for (const [, sentences] of texts) column.push((await evaluate(tagger, sentences)).value);
  await tagger.close();
  columns.push(column);
}
console.log(`| noise | ${values.model.map((path) => basename(path)).join(" | ")} |`);
console.log(`|---|${values.model.map(() => "---|").join("")}`);
texts.forEach(([kind], i) => {
  console.log(`| ${kind} | ${columns.map((column) => (100 * column[i]).toFixed(2)).join(" | ")} |`);
});
