// Writes a treebank file as people might have typed it, to see how taggers hold up: the words are spelled otherwise,
// the parts of speech stay, all else is left out.
//   node scripts/english-models/disturbed-text.mjs --input en_ewt-ud-dev.conllu --kind lower|upper|title|typing|apostrophes|punctuation|quotes|elongation --output lower.conllu [--seed 1]
import { parseArgs } from "node:util";
import { writeFileAtomic } from "../../packages/formats/dist/archive/node.js";
import { disturbedSentences, noiseKinds } from "./disturbed-sentences.mjs";

const { values } = parseArgs({
  options: {
    input: { type: "string" },
    kind: { type: "string" },
    output: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});
if (values.input === undefined || values.output === undefined || !noiseKinds.includes(values.kind)) {
  console.error(
    `--input, --output or --kind (${noiseKinds.join(", ")}) is missing; see the head of this script`,
  );
  process.exit(2);
}

const sentences = await disturbedSentences(values.input, values.kind, Number(values.seed));
const lines = sentences.flatMap(({ words, labels }) => [
  ...words.map((form, i) => [i + 1, form, "_", labels[i], ..."______"].join("\t")),
  "",
]);
await writeFileAtomic(values.output, [new TextEncoder().encode(`${lines.join("\n")}\n`)]);
