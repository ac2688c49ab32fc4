// A small BiLSTM tagger trained in TensorFlow.js alone, saved as people save theirs: model.json, shards, word and label
// indexes.
//   node bench/train-layers-model.mjs TRAIN.conllu FOLDER [SENTENCES=1500] [EPOCHS=5]
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { readConlluFile } from "@nasty/formats/conllu/node";

const [trainPath, folder, most = "1500", epochs = "5"] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node bench/train-layers-model.mjs TRAIN.conllu FOLDER [SENTENCES] [EPOCHS]");
  process.exit(2);
}
// The WebAssembly backend has no kernel for the gradient of an embedding.
tf.registerKernel({
  kernelName: "UnsortedSegmentSum",
  backendName: "wasm",
  kernelFunc({ inputs: { x, segmentIds }, backend, attrs: { numSegments } }) {
    const [values, rows] = [backend.readSync(x.dataId), backend.readSync(segmentIds.dataId)];
    const width = values.length / rows.length;
    const sums = new Float32Array(numSegments * width);
    rows.forEach((row, i) => {
      for (let j = 0; j < width; j++) sums[row * width + j] += values[i * width + j];
    });
    const shape = [numSegments, ...x.shape.slice(1)];
    return { dataId: backend.write(sums, shape, "float32"), shape, dtype: "float32" };
  },
});
await tf.setBackend("wasm");

const sentences = [];
for await (const { rows } of readConlluFile(trainPath)) {
  const words = rows.filter(({ kind }) => kind === "word");
  sentences.push({ words: words.map(({ form }) => form.toLowerCase()), tags: words.map(({ upos }) => upos) });
  if (sentences.length === Number(most)) break;
}
const counts = new Map();
for (const word of sentences.flatMap(({ words }) => words)) counts.set(word, (counts.get(word) ?? 0) + 1);
const known = [...counts].filter(([, count]) => count > 1).map(([word]) => word);
const wordIndex = Object.fromEntries(["<PAD>", "<UNK>", ...known].map((word, id) => [word, id]));
const labelIndex = Object.fromEntries(
  [...new Set(sentences.flatMap(({ tags }) => tags))].toSorted().map((tag, id) => [tag, id]),
);
const labels = Object.keys(labelIndex).length;

const glorot = (seed) => layers.initializers.glorotUniform({ seed });
const model = layers.sequential();
model.add(
  layers.layers.embedding({
    inputDim: known.length + 2,
    outputDim: 64,
    maskZero: true,
    embeddingsInitializer: layers.initializers.randomUniform({ minval: -0.2, maxval: 0.2, seed: 1 }),
  }),
);
model.add(layers.layers.spatialDropout1d({ rate: 0.2 }));
model.add(
  layers.layers.bidirectional({
    mergeMode: "concat",
    layer: layers.layers.lstm({
      units: 64,
      returnSequences: true,
      recurrentActivation: "sigmoid",
      kernelInitializer: glorot(2),
      recurrentInitializer: glorot(3),
    }),
  }),
);
model.add(
  layers.layers.timeDistributed({
    layer: layers.layers.dense({ units: labels, activation: "softmax", kernelInitializer: glorot(4) }),
  }),
);

let state = 1;
function uniform() {
  state = (state + 0x9e3779b9) | 0;
  let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

/** Ids [batch, longest], one-hot targets that are 0 at padding, and how many words there are. */
function batchOf(rows) {
  // TensorFlow.js 4.22 has no gradient for rows of one step.
  const longest = Math.max(2, ...rows.map(({ words }) => words.length));
  const ids = new Int32Array(rows.length * longest);
  const targets = new Float32Array(ids.length * labels);
  rows.forEach(({ words, tags }, r) =>
    words.forEach((word, i) => {
      // Words are forgotten now and then, so that the unknown word is learned.
      ids[r * longest + i] = uniform() < 0.05 ? 1 : (wordIndex[word] ?? 1);
      targets[(r * longest + i) * labels + labelIndex[tags[i]]] = 1;
    }),
  );
  const count = rows.reduce((sum, { words }) => sum + words.length, 0);
  return {
    ids: tf.tensor2d(ids, [rows.length, longest], "int32"),
    targets: tf.tensor3d(targets, [rows.length, longest, labels]),
    count,
  };
}

const optimizer = tf.train.adam(0.005);
const size = 16;
for (let epoch = 1; epoch <= Number(epochs); epoch++) {
  const started = performance.now();
  const byLength = sentences.toSorted((a, b) => a.words.length - b.words.length);
  const batches = Array.from({ length: Math.ceil(byLength.length / size) }, (_, i) =>
    byLength.slice(i * size, (i + 1) * size),
  );
  for (let i = batches.length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [batches[i], batches[j]] = [batches[j], batches[i]];
  }
  let total = 0;
  for (const rows of batches) {
    const { ids, targets, count } = batchOf(rows);
    const cost = optimizer.minimize(() => {
      const chances = model.apply(ids, { training: true });
      return tf.div(tf.neg(tf.sum(tf.mul(targets, tf.log(tf.add(chances, 1e-7))))), count);
    }, true);
    total += cost.dataSync()[0];
    tf.dispose([ids, targets, cost]);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`epoch ${epoch}: loss ${(total / batches.length).toFixed(4)}, ${seconds} s`);
}

await mkdir(folder, { recursive: true });
await model.save(
  tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
    const name = "group1-shard1of1.bin";
    const weightsManifest = [{ paths: [name], weights: weightSpecs }];
    await writeFile(join(folder, name), new Uint8Array(weightData));
    await writeFile(
      join(folder, "model.json"),
      JSON.stringify({ format: "layers-model", modelTopology, weightsManifest }),
    );
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
  }),
);
await writeFile(join(folder, "words.json"), JSON.stringify(wordIndex));
await writeFile(join(folder, "labels.json"), JSON.stringify(labelIndex));
console.log(`${folder}: ${known.length + 2} words, ${labels} labels, ${model.countParams()} parameters`);
