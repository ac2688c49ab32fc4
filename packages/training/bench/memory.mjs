// Resident memory over many steps of batches of all lengths. node --expose-gc packages/training/bench/memory.mjs
// [steps]
import { onnxEngine, seededRandom } from "@nasty/training";
import { bilstm } from "./build.mjs";

const steps = Number(process.argv[2] ?? 1000);
const random = seededRandom(5);
const [vocabulary, labels] = [5000, 17];
const ints = (shape, bound) => ({
  dtype: "int64",
  shape,
  data: BigInt64Array.from({ length: shape[0] * shape[1] }, () => BigInt(random.below(bound))),
});
const trainer = await onnxEngine.load(
  bilstm({ width: 64, hidden: 48, layers: 2, vocabulary, labels, dropout: 0.3 }),
  {
    loss: { kind: "cross-entropy", logits: "logits", labels: "labels" },
    optimizer: { kind: "adamw", learningRate: 1e-3, averageDecay: 0.999 },
  },
);
for (let i = 0; i <= steps; i++) {
  const length = 3 + random.below(60);
  const lengths = { dtype: "int32", shape: [32], data: new Int32Array(32).fill(length) };
  await trainer.step({ ids: ints([32, length], vocabulary), lengths, labels: ints([32, length], labels) });
  if (i % (steps / 10) === 0)
    console.log(`step ${i}: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`);
}
await trainer.close();
