// Tags sentences one by one and writes each word's label and each position's scores, for comparing processors and
// engines: one process an engine.
//   node scripts/processors/tag-with-scores.mjs OUT.json ENGINE SENTENCES.json MODEL…
// ENGINE is native (onnxruntime-node) or wasm (onnxruntime-web); SENTENCES.json holds lists of words.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readModelFile } from "../../packages/formats/dist/onnx/node.js";
import { openSession as openNative } from "../../packages/runtime/dist/index.js";
import { openSession as openWeb } from "../../packages/runtime/dist/web.js";
import { makeTransformerTagger, openNeuralTagger } from "../../packages/taggers/dist/index.js";
import { findTagger } from "../../packages/taggers/dist/node.js";

const [output, engine, sentencesPath, ...models] = process.argv.slice(2);
const sentences = JSON.parse(await readFile(sentencesPath, "utf8"));

async function webRuntime() {
  const fromRuntime = createRequire(new URL("../../packages/runtime/package.json", import.meta.url));
  const { default: ort } = await import(pathToFileURL(fromRuntime.resolve("onnxruntime-web/wasm")).href);
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  return ort;
}
const ort = engine === "wasm" ? await webRuntime() : undefined;
const open = (model) => (ort === undefined ? openNative(model) : openWeb(model, { ort }));

/** The session, which keeps what it says of each label at each position. */
function recording(session, labels, rows) {
  return {
    ...session,
    async run(...args) {
      const results = await session.run(...args);
      for (const { dtype, shape, data } of Object.values(results)) {
        if (dtype !== "float32" || shape.length !== 3 || shape[2] !== labels) continue;
        for (let at = 0; at < data.length; at += labels)
          rows.push(Array.from(data.subarray(at, at + labels)));
      }
      return results;
    },
    close: () => session.close(),
  };
}

async function tagged(path) {
  const { modelPath, settings } = await findTagger(path);
  const model = await readModelFile(modelPath);
  const rows = [];
  const opened = async (part) => recording(await open(part), settings.labels.length, rows);
  const tagger =
    settings.kind === "transformer"
      ? await makeTransformerTagger(await opened(model), settings)
      : await openNeuralTagger(model, settings, opened);
  const result = [];
  for (const words of sentences) {
    rows.length = 0;
    for await (const labels of tagger.tag([words], { batchSize: 1 }))
      result.push({ labels, scores: rows.map(bestTwo) });
  }
  await tagger.close();
  return result;
}

/** Indices and scores of the two best labels of a position. */
function bestTwo(scores) {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
  return order.slice(0, 2).map((i) => [i, scores[i]]);
}

const results = {};
for (const path of models) results[path] = await tagged(path);
await writeFile(output, JSON.stringify(results));
