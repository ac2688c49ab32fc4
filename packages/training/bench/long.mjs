// What the optimizer's step costs while a training goes on: a table of 6,000 x 256 of which 50 rows are looked up each
// time, so that the moments of the others decay. node packages/training/bench/long.mjs [steps]
import { createOptimizer, optimizerMemory, seededRandom } from "@nasty/training";

const steps = Number(process.argv[2] ?? 1200);
const [height, width] = [6000, 256];
const options = { kind: "adamw", learningRate: 1e-3, weightDecay: 0.01, clipNorm: 5 };
const memory = optimizerMemory([height * width], options);
const values = memory?.allocate(height * width) ?? new Float32Array(height * width);
const optimizer = createOptimizer([{ name: "table", shape: [height, width], values }], options, memory);
const random = seededRandom(1);
const lookUp = (rows) => ({
  indices: BigInt64Array.from({ length: rows }, () => BigInt(random.below(height))),
  values: Float32Array.from({ length: rows * width }, () => random.normal() * 1e-3),
});
const step = (rows) => optimizer.step(new Map([["table", { dense: undefined, rows: [rows] }]]));
step(lookUp(4 * height));
const few = lookUp(50);
let before = process.cpuUsage();
for (let i = 1; i <= steps; i++) {
  step(few);
  if (i % 200 !== 0) continue;
  const { user } = process.cpuUsage(before);
  console.log(`steps ${i - 199} to ${i}: ${(user / 200_000).toFixed(1)} ms of processor time a step`);
  before = process.cpuUsage();
}
