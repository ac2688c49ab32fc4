// Dynamic INT8 of a real tagger: quantize, write, compare word by word on labelled text.
import { fileURLToPath } from "node:url";
import { dynamic } from "@nasty/compression";
import { readConlluFile } from "@nasty/formats/conllu/node";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";
import { sampleConllu } from "@nasty/model-en";
import { posFloat32 } from "@nasty/model-en-float32";
import { evaluate, flips, labelledWords, lossInterval } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";

const original = fileURLToPath(posFloat32);
const quantized = "pos_int8_example.onnx";
const { bytes } = await writeModelFile(quantized, await dynamic.quantize(await readModelFile(original)));

const results = [];
for (const path of [original, quantized]) {
  const tagger = await openTagger(path);
  results.push(await evaluate(tagger, labelledWords(readConlluFile(fileURLToPath(sampleConllu)))));
  await tagger.close();
}
const [before, after] = results;
const { low, high } = lossInterval("accuracy", before.sentenceCounts, after.sentenceCounts);
console.log(
  `${(bytes / 1e6).toFixed(2)} MB, accuracy ${before.value.toFixed(4)} -> ${after.value.toFixed(4)}`,
);
console.log(
  `loss between ${low.toFixed(4)} and ${high.toFixed(4)}, ${flips(before.predictions, after.predictions).length} labels changed`,
);
if (before.value - after.value > 0.01) process.exit(1);
