// Throughput of the neural architectures with random weights, float32 and dynamic int8, words in and tags out, one
// thread.
//   node bench/neural-throughput.mjs TRAIN.conllu TEST.conllu [ARCHITECTURE …]
// Words per second of processor time and of wall time; "cold" has an empty word cache, "warm" has met every word.
import { readConlluFile } from "../packages/formats/dist/conllu/node.js";
import { words } from "../packages/formats/dist/conllu/index.js";
import { serializeModel } from "../packages/formats/dist/onnx/index.js";
import { openSession } from "../packages/runtime/dist/index.js";
import {
  architectures,
  buildNeuralModel,
  countWords,
  featureSettings,
} from "../packages/tagger-training/dist/index.js";
import { openNeuralTagger, withTagger } from "../packages/taggers/dist/index.js";
import { dynamic } from "../packages/compression/dist/index.js";

const [trainPath, testPath, ...names] = process.argv.slice(2);
const read = async (path) => {
  const out = [];
  for await (const sentence of readConlluFile(path)) out.push(words(sentence).map(({ form }) => form));
  return out;
};
const [train, test] = await Promise.all([read(trainPath), read(testPath)]);
const total = test.reduce((sum, sentence) => sum + sentence.length, 0);
const labels = Array.from({ length: 17 }, (_, i) => `L${i}`);
const variants = (process.env.VARIANTS ?? "float32,int8").split(",");
const options = JSON.parse(process.env.OPTIONS ?? "[{}]");

for (const name of names.length > 0 ? names : Object.keys(architectures)) {
  const { architecture, features: sizes } = architectures[name];
  const features = featureSettings(countWords(train), {
    ...sizes,
    hasCharacters: "characters" in architecture.embedding,
  });
  const plain = await withTagger(buildNeuralModel({ features, architecture, labels: labels.length }), {
    kind: "neural",
    task: "pos",
    labels,
    features,
  });
  const parameters = plain.graph.initializer.reduce(
    (sum, { dims }) => sum + dims.reduce((p, d) => p * Number(d), 1),
    0,
  );
  console.log(`${name}: ${(parameters / 1e6).toFixed(2)} M parameters`);
  for (const variant of variants) {
    const model =
      variant === "float32"
        ? plain
        : await dynamic.quantize(plain, { perChannel: variant !== "int8-tensor" });
    const bytes = serializeModel(model).length;
    for (const batch of options) {
      const tagger = await openNeuralTagger(model, { kind: "neural", task: "pos", labels, features }, (m) =>
        openSession(m),
      );
      const once = async () => {
        const cpu = process.cpuUsage();
        const start = performance.now();
        let count = 0;
        for await (const tags of tagger.tag(test, batch)) count += tags.length;
        if (count !== total) throw new Error(`expected ${total} tags, got ${count}`);
        const { user, system } = process.cpuUsage(cpu);
        return { wall: total / (performance.now() - start), cpu: (total * 1000) / (user + system) };
      };
      const cold = await once();
      const runs = [];
      for (let i = 0; i < 5; i++) runs.push(await once());
      const best = (key) => Math.max(...runs.map((run) => run[key])).toFixed(1);
      console.log(
        `  ${variant} ${JSON.stringify(batch)}: ${(bytes / 1e6).toFixed(2)} MB; thousand words/s cold ${cold.wall.toFixed(1)} (cpu ${cold.cpu.toFixed(1)}), warm ${best("wall")} (cpu ${best("cpu")})`,
      );
      await tagger.close();
    }
  }
}
