// Trains a named-entity model.
//   node scripts/english-models/train-ner.mjs --train en_ewt-ud-train.iob2 --validation en_ewt-ud-dev.iob2 --output ner.onnx
//     [--parts-of-speech en_ewt-ud-train.conllu]… [--extra [CORPUS=]FILE[:WEIGHT]]… [--wnut [CORPUS=]FILE[:WEIGHT]]…
//     [--architecture bilstm|cnn] [--epochs 18] [--seed 1] [--threads 1] [--patience N] [--recipe '{"learningRate":0.003}']
// --parts-of-speech gives auxiliary labels to the sentences with the same sent_id; --extra is more text with PER, LOC
// and ORG (other types are taken for none); --wnut is text with the types of WNUT-17, which are mapped to these. WEIGHT
// (default 1) is how often a sentence is seen in an epoch, on average. CORPUS says whose conventions the labels of a
// file follow, where they are not those of --train: what is peculiar to a corpus is learned by vectors of its own.
import { basename } from "node:path";
import { wnutTypes } from "../../packages/tagger-training/dist/index.js";
import { argumentsOf, entityReader, trainAndWrite } from "./training-run.mjs";

const values = argumentsOf({
  train: { type: "string" },
  validation: { type: "string" },
  "parts-of-speech": { type: "string", multiple: true, default: [] },
  extra: { type: "string", multiple: true, default: [] },
  wnut: { type: "string", multiple: true, default: [] },
});

const identical = { PER: "PER", LOC: "LOC", ORG: "ORG" };

const parts = values["parts-of-speech"];
const sentencesOf = entityReader(parts);

function source(argument, types) {
  const [, corpus, path, weight] = /^(?:(\w+)=)?(.*?)(?::([\d.]+))?$/.exec(argument);
  return sentencesOf(path, { types, corpus, weight: weight === undefined ? 1 : Number(weight) });
}

const more = await Promise.all([
  ...values.extra.map((argument) => source(argument, identical)),
  ...values.wnut.map((argument) => source(argument, wnutTypes)),
]);
await trainAndWrite(values, {
  task: "ner",
  train: [...(await sentencesOf(values.train)), ...more.flat()],
  validation: await sentencesOf(values.validation),
  sources: [values.train, ...parts, ...values.extra, ...values.wnut].map((path) => basename(path)),
});
