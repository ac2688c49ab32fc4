// Step times of both training engines on the same batches, taken in turns, and how far their losses are apart:
//   node bench/engines.mjs cnn|bilstm|transformer TRAIN.conllu VALIDATION.conllu [STEPS] [BACKEND] [SENTENCES]
// The trainer of ONNX Runtime trains; the one of TensorFlow.js takes every step from the same weights beside it.
import { tensorflowEngine } from "../packages/engine-tfjs/dist/index.js";
import { readConlluFile } from "../packages/formats/dist/conllu/node.js";
import { posSentences, trainTagger, trainTransformer } from "../packages/tagger-training/dist/index.js";
import { onnxEngine } from "../packages/training/dist/index.js";

const [architecture = "cnn", train, validation, steps = "20", backend, sentences = "600"] =
  process.argv.slice(2);
if (validation === undefined) {
  console.error(
    "usage: node bench/engines.mjs cnn|bilstm|transformer TRAIN.conllu VALIDATION.conllu [STEPS] [BACKEND]",
  );
  process.exit(2);
}

const times = { onnx: [], tensorflow: [] };
let [difference, used] = [0, ""];
const stop = new AbortController();

/** Steps of the second engine are timed and thrown away: its state is set to that of the first one before each. */
const both = {
  name: "both",
  async load(model, options) {
    const first = await onnxEngine.load(model, options);
    const engine = tensorflowEngine({ ...(backend && { backend }), onBackend: (name) => void (used = name) });
    const second = await engine.load(model, options);
    return {
      ...first,
      async step(batch) {
        second.restore(first.state());
        const start = performance.now();
        const other = await second.step(batch);
        const middle = performance.now();
        const own = await first.step(batch);
        const end = performance.now();
        times.tensorflow.push(middle - start);
        times.onnx.push(end - middle);
        difference = Math.max(difference, Math.abs(own.loss - other.loss) / own.loss);
        if (own.step >= Number(steps)) stop.abort();
        return own;
      },
      async close() {
        await first.close();
        await second.close();
      },
    };
  },
};

const read = async (path, count) => (await posSentences(readConlluFile(path))).slice(0, count);
const options = {
  task: "pos",
  train: await read(train, Number(sentences)),
  validation: await read(validation, 50),
  engine: both,
  signal: stop.signal,
};
if (architecture === "transformer") await trainTransformer(options);
else await trainTagger({ ...options, architecture });

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
// The first steps compile and allocate.
const [onnx, tensorflow] = [median(times.onnx.slice(3)), median(times.tensorflow.slice(3))];
console.log(
  JSON.stringify({
    architecture,
    backend: used,
    steps: times.onnx.length,
    onnxMsPerStep: onnx,
    tensorflowMsPerStep: tensorflow,
    ratio: tensorflow / onnx,
    largestRelativeLossDifference: difference,
  }),
);
