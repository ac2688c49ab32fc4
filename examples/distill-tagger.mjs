// A small network learns from the embedded English model, on sentences of which only one in three has labels.
import { fileURLToPath } from "node:url";
import { readConlluFile } from "@nasty/formats/conllu/node";
import { posInt8, sampleConllu } from "@nasty/model-en";
import { distill, posSentences } from "@nasty/tagger-training";

const sentences = await posSentences(readConlluFile(fileURLToPath(sampleConllu)));
const rest = sentences.filter((_, index) => index % 5 !== 0);
const { value, parameters } = await distill(fileURLToPath(posInt8), {
  student: "cnn",
  studentSize: 0.5,
  data: {
    train: rest.filter((_, index) => index % 3 === 0),
    validation: sentences.filter((_, index) => index % 5 === 0),
  },
  unlabelled: rest.filter((_, index) => index % 3 !== 0).map(({ words }) => words),
  temperature: 2,
  alpha: 0.7,
  epochs: 6,
});
console.log(`accuracy ${value.toFixed(3)} with ${parameters.student} of ${parameters.teacher} weights`);
if (!(value > 0.5)) process.exit(1);
