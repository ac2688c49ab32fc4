// Trains a named-entity model.
//   node scripts/english-models/train-ner.mjs --train en_ewt-ud-train.iob2 --validation en_ewt-ud-dev.iob2 --output ner.onnx
//     [--parts-of-speech en_ewt-ud-train.conllu]… [--extra FILE[:WEIGHT]]… [--wnut FILE[:WEIGHT]]…
//     [--architecture bilstm|cnn] [--epochs 18] [--seed 1] [--threads 1] [--patience N] [--recipe '{"learningRate":0.003}']
// --parts-of-speech gives auxiliary labels to the sentences with the same sent_id; --extra is more text with PER, LOC
// and ORG (other types are taken for none); --wnut is text with the types of WNUT-17, which are mapped to these. WEIGHT
// (default 1) is how often a sentence is seen in an epoch, on average.
import { basename } from "node:path";
import { parseConllu } from "../../packages/formats/dist/conllu/index.js";
import { parseColumns } from "../../packages/formats/dist/iob/index.js";
import { nerSentences, wnutTypes } from "../../packages/tagger-training/dist/index.js";
import { argumentsOf, readText, trainAndWrite } from "./training-run.mjs";

const values = argumentsOf({
  train: { type: "string" },
  validation: { type: "string" },
  "parts-of-speech": { type: "string", multiple: true, default: [] },
  extra: { type: "string", multiple: true, default: [] },
  wnut: { type: "string", multiple: true, default: [] },
});

const identical = { PER: "PER", LOC: "LOC", ORG: "ORG" };

async function source(argument, types) {
  const [, path, weight] = /^(.*?)(?::([\d.]+))?$/.exec(argument);
  const sentences = parseColumns(await readText(path), { name: basename(path) });
  return nerSentences(sentences, { partsOfSpeech, types, weight: weight === undefined ? 1 : Number(weight) });
}

const parts = values["parts-of-speech"];
const treebanks = await Promise.all(parts.map(readText));
const partsOfSpeech = treebanks.flatMap((text) => [...parseConllu(text)]);
const own = nerSentences(parseColumns(await readText(values.train), { name: basename(values.train) }), {
  partsOfSpeech,
});
const more = await Promise.all([
  ...values.extra.map((argument) => source(argument, identical)),
  ...values.wnut.map((argument) => source(argument, wnutTypes)),
]);
await trainAndWrite(values, {
  task: "ner",
  train: [...own, ...more.flat()],
  validation: nerSentences(
    parseColumns(await readText(values.validation), { name: basename(values.validation) }),
  ),
  sources: [values.train, ...parts, ...values.extra, ...values.wnut].map((path) => basename(path)),
});
