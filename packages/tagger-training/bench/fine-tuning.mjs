// Time of an epoch of fine-tuning, extrapolated from some steps.
// node packages/tagger-training/bench/fine-tuning.mjs MODEL_DIRECTORY TRAIN.conllu [THREADS] [STEPS] [BATCH_SIZE]
import { readConlluFile } from "@nasty/formats/conllu/node";
import { environment } from "@nasty/runtime";
import { labelledWords } from "@nasty/taggers";
import { fineTune } from "../dist/index.js";

const [directory, train, threads = "2", steps = "100", batchSize = "16"] = process.argv.slice(2);
if (train === undefined)
  throw new Error("usage: fine-tuning.mjs MODEL_DIRECTORY TRAIN.conllu [THREADS] [STEPS] [BATCH_SIZE]");
const sentences = [];
for await (const sentence of labelledWords(readConlluFile(train))) sentences.push(sentence);
const stop = new AbortController();
let seen = 0;
let began = 0;
let cpu = process.cpuUsage();
const start = performance.now();
const result = await fineTune(directory, { train: sentences }, "pos_tagging", {
  epochs: 1,
  batchSize: Number(batchSize),
  learningRate: 5e-4,
  threads: Number(threads),
  signal: stop.signal,
  onEvent(event) {
    if (event.event !== "step") return;
    seen = event.step;
    if (began === 0) {
      console.log(
        `prepared and first ${seen} steps: ${((performance.now() - start) / 1000).toFixed(1)} s; ${event.totalSteps} steps an epoch`,
      );
      began = performance.now();
      cpu = process.cpuUsage();
      return;
    }
    if (seen - 50 < Number(steps)) return;
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const each = seconds / (seen - 50);
    const cpuEach = (user + system) / 1e6 / (seen - 50);
    console.log(
      `${seen - 50} steps: ${(each * 1000).toFixed(1)} ms each (${(cpuEach * 1000).toFixed(1)} ms of processor time): ` +
        `an epoch in ${(each * event.totalSteps).toFixed(1)} s (${((cpuEach * event.totalSteps) / Number(threads)).toFixed(1)} s with the processor to itself); loss ${event.loss.toFixed(3)}`,
    );
    stop.abort();
  },
});
const { cpu: name, instructionSets } = await environment();
console.log(
  `${name}; ${instructionSets}; ${sentences.length} sentences, batch ${batchSize}, ${threads} thread(s), ${result.steps} steps`,
);
