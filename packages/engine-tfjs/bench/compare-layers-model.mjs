// A LayersModel in TensorFlow.js beside its import: the same sentences through both, the largest difference of an
// output, labels that differ.
//   node bench/compare-layers-model.mjs FOLDER TEST.conllu [SENTENCES=500]
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { tensor } from "@nasty/core";
import { readConlluFile } from "@nasty/formats/conllu/node";
import { importLayersModel } from "@nasty/engine-tfjs/layers-model";
import { readLayersModel } from "@nasty/engine-tfjs/layers-model/node";
import { openSession } from "@nasty/runtime";

const [folder, testPath, most = "500"] = process.argv.slice(2);
if (testPath === undefined) {
  console.error("usage: node bench/compare-layers-model.mjs FOLDER TEST.conllu [SENTENCES]");
  process.exit(2);
}
await tf.setBackend("wasm");
const { modelJson, weightBytes } = await readLayersModel(folder);
const { model, inputs, outputs } = importLayersModel(modelJson, weightBytes);
const session = await openSession(model);
const theirs = await layers.loadLayersModel({
  load: async () => ({
    modelTopology: structuredClone(modelJson.modelTopology),
    weightSpecs: modelJson.weightsManifest.flatMap(({ weights }) => weights),
    weightData: Uint8Array.from(weightBytes).buffer,
  }),
});
const wordIndex = JSON.parse(await readFile(join(folder, "words.json"), "utf8"));

const best = (values, start, count) => {
  let index = 0;
  for (let i = 1; i < count; i++) if (values[start + i] > values[start + index]) index = i;
  return index;
};

const seconds = { tfjs: 0, onnx: 0 };
let [words, difference, changed, sentences] = [0, 0, 0, 0];
for await (const { rows } of readConlluFile(testPath)) {
  const forms = rows.filter(({ kind }) => kind === "word").map(({ form }) => form.toLowerCase());
  const ids = Int32Array.from(forms, (word) => wordIndex[word] ?? 1);
  let started = performance.now();
  const expected = tf.tidy(() => theirs.predict(tf.tensor2d(ids, [1, ids.length], "int32")).dataSync());
  seconds.tfjs += (performance.now() - started) / 1000;
  started = performance.now();
  const result = await session.run({ [inputs[0].name]: tensor("int32", [1, ids.length], ids) });
  seconds.onnx += (performance.now() - started) / 1000;
  const got = result[outputs[0].name].data;
  expected.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - got[i]));
  });
  const labels = expected.length / ids.length;
  for (let i = 0; i < ids.length; i++) {
    if (best(expected, i * labels, labels) !== best(got, i * labels, labels)) changed++;
  }
  words += ids.length;
  if (++sentences === Number(most)) break;
}
await session.close();
console.log(
  `${sentences} sentences, ${words} words: largest difference ${difference.toExponential(1)}, labels that differ ${changed}`,
);
console.log(
  `one sentence a run: TensorFlow.js (wasm) ${seconds.tfjs.toFixed(1)} s, ONNX Runtime ${seconds.onnx.toFixed(1)} s`,
);
