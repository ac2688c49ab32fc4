// Times quantization of a 768 x 3072 float32 weight:   node packages/core/bench/quantize.mjs   (after the build)
import { Bench } from "tinybench";
import {
  dequantizeLinear,
  parametersOf,
  perBlock,
  perChannel,
  perTensor,
  quantizationSqnrDb,
  quantizeLinear,
  quantizeMatMulNBits,
  tensor,
} from "../dist/index.js";

const [K, N] = [768, 3072];
let state = 1;
const values = Float32Array.from({ length: K * N }, () => {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state / 2 ** 31) * 0.05;
});
const x = tensor("float32", [K, N], values);
const bench = new Bench({ time: 300, warmupTime: 100 });
const granularities = {
  "per tensor": perTensor,
  "per row": perChannel(0),
  "per column": perChannel(1),
  "blocks of 32 rows": perBlock(0, 32),
};
for (const [name, granularity] of Object.entries(granularities)) {
  const scheme = { dtype: "int8", symmetric: true };
  const p = parametersOf(x, scheme, granularity);
  const q = quantizeLinear(x, p);
  bench.add(`parametersOf ${name}`, () => parametersOf(x, scheme, granularity));
  bench.add(`quantizeLinear ${name}`, () => quantizeLinear(x, p));
  bench.add(`dequantizeLinear ${name}`, () => dequantizeLinear(q, p));
  bench.add(`quantizationSqnrDb ${name}`, () => quantizationSqnrDb(x, q, p));
}
bench.add("quantizeMatMulNBits int4, block 32", () =>
  quantizeMatMulNBits(x, { blockSize: 32, symmetric: true, bits: 4 }),
);
await bench.run();

const rows = bench.tasks.map(({ name, result }) => ({
  task: name,
  "ms (median)": result.latency.p50.toFixed(2),
  "ns per element": ((result.latency.p50 * 1e6) / values.length).toFixed(2),
}));
process.stdout.write(`node ${process.version}, ${process.arch}, int8 symmetric, [${K}, ${N}]\n`);
for (const row of rows)
  process.stdout.write(
    `${row.task.padEnd(40)} ${row["ms (median)"].padStart(8)} ms ${row["ns per element"].padStart(7)} ns per element\n`,
  );
