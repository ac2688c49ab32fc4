// Writes six small int8 taggers (a transformer, a BiLSTM and a CNN, dynamic and static) and the sentences to try them
// on.
//   node scripts/processors/small-models.mjs FOLDER
// The transformer and the CNN are trained here on the sample text (seconds); the BiLSTM is the default model.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dynamic, int8 } from "../../packages/compression/dist/index.js";
import { readConlluFile } from "../../packages/formats/dist/conllu/node.js";
import { readModelFile, writeModelFile } from "../../packages/formats/dist/onnx/node.js";
import { sampleConllu } from "../../packages/model-en/dist/index.js";
import { posFloat32 } from "../../packages/model-en-float32/dist/index.js";
import { readTaggerSettings, withTagger } from "../../packages/taggers/dist/index.js";
import { openTagger } from "../../packages/taggers/dist/node.js";
import { posSentences, trainTagger, trainTransformer } from "../../packages/tagger-training/dist/index.js";

const [folder] = process.argv.slice(2);
const sentences = await posSentences(readConlluFile(fileURLToPath(sampleConllu)));
const data = {
  task: "pos",
  train: sentences.filter((_, index) => index % 5 !== 0),
  validation: sentences.filter((_, index) => index % 5 === 0),
  seed: 1,
};
const transformer = await trainTransformer({
  ...data,
  size: { layers: 2, hidden: 64, heads: 4, intermediate: 256, vocabulary: 1000 },
  recipe: { epochs: 8, learningRate: 2e-3 },
});
const cnn = await trainTagger({ ...data, architecture: "cnn", recipe: { epochs: 6 } });
const bilstm = await readModelFile(fileURLToPath(posFloat32));

const files = [];
for (const [name, model] of Object.entries({ transformer: transformer.model, bilstm, cnn: cnn.model })) {
  const float = join(folder, `${name}.onnx`);
  await writeModelFile(float, model);
  const tagger = await openTagger(float);
  const calibrationData = [];
  for await (const batch of tagger.feedsOf(
    sentences.slice(0, 100).map(({ words }) => words),
    { batchSize: 1 },
  ))
    calibrationData.push(batch);
  await tagger.close();
  const settings = await readTaggerSettings(model);
  const forms = {
    dynamic: await dynamic.quantize(model),
    static: await int8.quantize(model, { calibrationData }),
  };
  for (const [mode, quantized] of Object.entries(forms)) {
    const path = join(folder, `${name}-${mode}.onnx`);
    await writeModelFile(path, settings === undefined ? quantized : await withTagger(quantized, settings));
    files.push(path);
  }
}
await writeFile(join(folder, "models.json"), JSON.stringify(files));
