// What running a written file beside its original adds to auditing it: node bench/drift.mjs bert.onnx bert_int8.onnx
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { madeFeeds, referenceOf, sessionDrift, weightsInFile } from "../packages/compression/dist/index.js";
import { readModelFile } from "../packages/formats/dist/onnx/node.js";
import { auditModel } from "../packages/runtime/dist/index.js";

const [original, written] = process.argv.slice(2).map((path) => resolve(path));
const rounds = 9;

const model = await readModelFile(original);
const graph = weightsInFile(model, { name: basename(original), bytes: (await stat(original)).size });
const candidates = [[{ feeds: madeFeeds(model, { batchSize: 1 }) }]];
const weightsFolder = dirname(original);

/** Milliseconds of the processor that something takes, whatever else the machine does. */
async function cpu(job) {
  const before = process.cpuUsage();
  const result = await job();
  const { user, system } = process.cpuUsage(before);
  return { result, time: (user + system) / 1000 };
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const jobs = {
  "audit alone": () => auditModel(written),
  "original, mapped": () => referenceOf(graph, candidates, { weightsFolder }),
  "original, read from its path": () => referenceOf(original, candidates),
};
const times = Object.fromEntries([...Object.keys(jobs), "audit and run"].map((name) => [name, []]));
for (let round = 0; round <= rounds; round++) {
  const results = {};
  for (const [name, job] of Object.entries(jobs)) {
    const { result, time } = await cpu(job);
    results[name] = result;
    if (round > 0) times[name].push(time);
  }
  const reference = results["original, mapped"];
  let outputs;
  const { time } = await cpu(() =>
    auditModel(written, { use: async (session) => void (outputs = await sessionDrift(reference, session)) }),
  );
  if (round > 0) times["audit and run"].push(time);
  if (round === rounds) console.log(outputs);
}
for (const [name, values] of Object.entries(times)) console.log(`${name}: ${median(values).toFixed(0)} ms`);
