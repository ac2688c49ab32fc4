// Train a small tagger on the sample text (a toy: real ones need thousands of sentences) and use it at once.
import { fileURLToPath } from "node:url";
import { readConlluFile } from "@nasty/formats/conllu/node";
import { sampleConllu } from "@nasty/model-en";
import { posSentences, trainTagger } from "@nasty/tagger-training";

const sentences = await posSentences(readConlluFile(fileURLToPath(sampleConllu)));
const { value, history } = await trainTagger({
  task: "pos",
  train: sentences.filter((_, index) => index % 5 !== 0),
  validation: sentences.filter((_, index) => index % 5 === 0),
  architecture: "cnn",
  recipe: { epochs: 6 },
  seed: 1,
});
for (const { epoch, metric } of history) console.log(`epoch ${epoch}: accuracy ${metric.toFixed(3)}`);
if (!(value > 0.5)) process.exit(1);
