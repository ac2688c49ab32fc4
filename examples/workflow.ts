// The whole system in one screen: a tagger is trained, quantized behind a gate, pruned, distilled and compared, and a
// recipe is run.
import { cp, mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sampleConllu } from "@nasty/model-en";
import { compare, distill, openModel, prune, quantize, runRecipe, text, train } from "@nasty/workflow";

const recipe = fileURLToPath(new URL("recipes/mobile.yaml", import.meta.url));
process.chdir(await mkdtemp(join(tmpdir(), "nasty-workflow-")));
for (const part of ["train", "dev", "test"]) await cp(sampleConllu, `${part}.conllu`);

// A transformer of your own; `models/pos` may as well be a Hugging Face directory or an .onnx.gz file.
await mkdir("models");
await train({
  task: "pos",
  architecture: "transformer",
  train: text("train.conllu"),
  validation: text("dev.conllu"),
  epochs: 2,
  output: "models/pos.onnx",
});

const model = await openModel("models/pos.onnx"); // graph, tagger, history: read once
for await (const { words } of model.tagText("Time flies like an arrow.")) console.log(words);

const calibration = text("dev.conllu", { sentences: 100 }); // streamed, recognised by its content
const plan = await quantize.plan(model, {
  mode: "static",
  calibration,
  method: "percentile",
  skipLayers: ["classifier"],
});
const int8 = await quantize(model, {
  plan, // or the same options; plain data either way
  output: "pos_int8.onnx", // left out: the versioned name
  gate: { on: text("dev.conllu"), maxLoss: 0.05 },
  onProgress: ({ step, done, total }) => {
    if (done === 0) console.log(total === undefined ? step : `${step} (${total})`);
  },
  signal: AbortSignal.timeout(600_000),
});
console.log(int8.passed, int8.bytes, int8.audit.quantizedKernels, int8.gate?.flips);

const small = await prune(model, {
  heads: 0.3,
  neurons: 0.3,
  on: text("train.conllu"),
  recover: { epochs: 1 },
  output: "pos_p30.onnx",
});
const tiny = await distill([model, small], {
  student: "cnn",
  train: text("train.conllu"),
  validation: text("dev.conllu"),
  epochs: 2,
  output: "tiny.onnx",
});
console.log(String(await compare([model, int8, small, tiny], { on: text("test.conllu") })));
await model.close();

const { stages } = await runRecipe(recipe, { output: "mobile" });
for (const { kind, output, value } of stages) console.log(kind, output?.bytes, value);
await runRecipe(recipe, { output: "mobile", resume: true }); // nothing has changed: no step is done again

if (!int8.passed || !small.passed || !tiny.passed) process.exit(1);
