// Trains the English part-of-speech models.
//   node scripts/english-models/train-pos.mjs --train en_ewt-ud-train.conllu --validation en_ewt-ud-dev.conllu --output pos.onnx
//     [--architecture bilstm|cnn] [--epochs 18] [--seed 1] [--threads 1] [--patience N] [--recipe '{"learningRate":0.003}']
// Progress goes to stderr; an interrupted run goes on from pos.onnx.checkpoint when the same command is given again.
import { basename } from "node:path";
import { readConlluFile } from "../../packages/formats/dist/conllu/node.js";
import { posSentences } from "../../packages/tagger-training/dist/index.js";
import { argumentsOf, trainAndWrite } from "./training-run.mjs";

const values = argumentsOf({ train: { type: "string" }, validation: { type: "string" } });
await trainAndWrite(values, {
  task: "pos",
  train: await posSentences(readConlluFile(values.train)),
  validation: await posSentences(readConlluFile(values.validation)),
  sources: [basename(values.train)],
});
