// Trains the English part-of-speech models.
//   node scripts/english-models/train-pos.mjs --train en_ewt-ud-train.conllu [--train MORE.conllu]… --validation en_ewt-ud-dev.conllu --output pos.onnx
//     [--architecture bilstm|cnn] [--epochs 18] [--seed 1] [--threads 1] [--patience N] [--recipe '{"learningRate":0.003}']
// Progress goes to stderr; an interrupted run goes on from pos.onnx.checkpoint when the same command is given again.
import { basename } from "node:path";
import { argumentsOf, trainAndWrite, treebankSentences } from "./training-run.mjs";

const values = argumentsOf({
  train: { type: "string", multiple: true, default: [] },
  validation: { type: "string" },
});
await trainAndWrite(values, {
  task: "pos",
  train: await treebankSentences(values.train),
  validation: await treebankSentences([values.validation]),
  sources: values.train.map((path) => basename(path)),
});
