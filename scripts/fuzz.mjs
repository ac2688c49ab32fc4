// Structured cases of every input that comes from outside, run in this process through the readers and the steps behind
// them. A case is a valid input with parts dropped, doubled, exchanged or made odd; what is not a typed refusal, takes
// too long, or takes memory is a fault.
//
//   node scripts/fuzz.mjs [--cases 100000] [--seed 1] [--kind onnx,recipe]    # all kinds in equal shares
//   node scripts/fuzz.mjs --kind onnx --seed 1 --case 4711                    # one case again, as its fault says
import { once } from "node:events";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

const kinds = ["onnx", "metadata", "tokenizer", "config", "conllu", "columns", "recipe", "safetensors"];

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    kind: { type: "string", default: kinds.join(",") },
    case: { type: "string" },
    seconds: { type: "string", default: "10" },
  },
});
const seed = Number(values.seed);
const chosen = values.kind.split(",");
const share = Math.ceil(Number(values.cases) / chosen.length);

/** Most megabytes of heap that a case may need: far above the honest ones. */
const mostHeap = 512;

/** Runs cases from one number on until they are done or one of them ends the worker; gives the number to go on from. */
async function runFrom(kind, from, to, report) {
  const progress = new SharedArrayBuffer(8);
  const current = new Int32Array(progress);
  const worker = new Worker(new URL("./fuzz/worker.mjs", import.meta.url), {
    workerData: { kind, seed, from, to, progress },
    resourceLimits: { maxOldGenerationSizeMb: mostHeap },
    stderr: false,
  });
  let done = false;
  let seen = -1;
  let reason;
  worker.on("message", ({ fault, done: result }) => {
    if (fault !== undefined) report.faults.push({ kind, ...fault });
    if (result === undefined) return;
    done = true;
    report.refused += result.refused;
    report.heap = Math.max(report.heap, result.heap);
    report.digests.push(result.digest);
  });
  worker.on("error", (error) => {
    reason = `the worker ended: ${error.stack ?? error}`;
  });
  // A case that two looks find at work has taken at least the time between them.
  const watch = setInterval(() => {
    const started = Atomics.load(current, 1);
    if (started > 0 && started === seen && Atomics.load(current, 0) < to) {
      reason = `no end after ${values.seconds} s`;
      void worker.terminate();
    }
    seen = started;
  }, Number(values.seconds) * 1000);
  await once(worker, "exit").catch(() => undefined);
  clearInterval(watch);
  if (done) return to;
  if (Atomics.load(current, 1) === 0) throw new Error(`fuzz: ${kind}: no case was begun: ${reason}`);
  const number = Atomics.load(current, 0);
  report.faults.push({ kind, number, reason: reason ?? "the worker ended" });
  return Math.max(number, from) + 1;
}

let failed = 0;
for (const kind of chosen) {
  const started = performance.now();
  const report = { faults: [], refused: 0, heap: 0, digests: [] };
  const [from, to] = values.case === undefined ? [0, share] : [Number(values.case), Number(values.case) + 1];
  for (let next = from; next < to; ) next = await runFrom(kind, next, to, report);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${kind}: ${to - from} cases, ${report.refused} refused on reading, ${report.faults.length} faults, ${(report.heap / 1e6).toFixed(0)} MB of heap, ${seconds} s, inputs ${report.digests.join("+").slice(0, 16)}`,
  );
  // One of each kind is enough to begin with: the same line of code fails for many cases.
  const distinct = new Map(
    report.faults.map((fault) => [fault.reason.split("\n").slice(0, 3).join("\n"), fault]),
  );
  for (const { number, reason } of distinct.values()) {
    const count = report.faults.filter((fault) => fault.reason.startsWith(reason.split("\n")[0])).length;
    console.log(
      `  ${count} like --kind ${kind} --seed ${seed} --case ${number}: ${reason.split("\n").slice(0, 6).join("\n    ")}`,
    );
  }
  failed += report.faults.length;
}
process.exitCode = failed === 0 ? 0 : 1;
