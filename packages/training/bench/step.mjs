// Time of a training step (forward, backward, AdamW). node packages/training/bench/step.mjs [threads] [steps]
import { environment } from "@nasty/runtime";
import { onnxEngine, seededRandom } from "@nasty/training";
import { bilstm, encoder } from "./build.mjs";

const threads = Number(process.argv[2] ?? 1);
const steps = Number(process.argv[3] ?? 20);
const only = process.argv[4] ?? "";
const random = seededRandom(5);
const ints = (shape, bound) => ({
  dtype: "int64",
  shape,
  data: BigInt64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => BigInt(random.below(bound))),
});
const tokens = (batch, length, vocabulary, labels) => ({
  input_ids: ints([batch, length], vocabulary),
  position_ids: {
    dtype: "int64",
    shape: [batch, length],
    data: BigInt64Array.from({ length: batch * length }, (_, i) => BigInt(i % length)),
  },
  attention_mask: {
    dtype: "int64",
    shape: [batch, length],
    data: new BigInt64Array(batch * length).fill(1n),
  },
  labels: ints([batch, length], labels),
});
const words = (batch, length, vocabulary, labels) => ({
  ids: ints([batch, length], vocabulary),
  lengths: { dtype: "int32", shape: [batch], data: new Int32Array(batch).fill(length) },
  labels: ints([batch, length], labels),
});

const cases = {
  "encoder 6x384/1536, batch 16x32": () => [
    encoder({ layers: 6, width: 384, inner: 1536, heads: 12, vocabulary: 8000, labels: 17 }),
    tokens(16, 32, 8000, 17),
  ],
  "encoder 6x384/1536, batch 16x32, dropout 0.1": () => [
    encoder({ layers: 6, width: 384, inner: 1536, heads: 12, vocabulary: 8000, labels: 17, dropout: 0.1 }),
    tokens(16, 32, 8000, 17),
  ],
  "encoder 4x256/1024, vocabulary 8000, batch 16x32": () => [
    encoder({ layers: 4, width: 256, inner: 1024, heads: 8, vocabulary: 8000, labels: 17 }),
    tokens(16, 32, 8000, 17),
  ],
  "bilstm 2x176, width 256, batch 32x25": () => [
    bilstm({ width: 256, hidden: 176, layers: 2, vocabulary: 8000, labels: 17, dropout: 0.3 }),
    words(32, 25, 8000, 17),
  ],
};
const { cpu, instructionSets, onnxruntime } = await environment();
console.log(
  `${cpu}; ${instructionSets}; onnxruntime ${onnxruntime}; node ${process.version}; ${threads} thread(s)`,
);
for (const [name, make] of Object.entries(cases)) {
  if (!name.includes(only)) continue;
  const [model, batch] = make();
  const trainer = await onnxEngine.load(model, {
    loss: { kind: "cross-entropy", logits: "logits", labels: "labels" },
    optimizer: { kind: "adamw", learningRate: 1e-3, weightDecay: 0.01, clipNorm: 5 },
    threads,
  });
  let first = 0;
  for (let i = 0; i < 3; i++) first ||= (await trainer.step(batch)).loss;
  const times = [];
  let last = 0;
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    last = (await trainer.step(batch)).loss;
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const parameters = trainer.weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  console.log(
    `${name}: median ${times[steps >> 1].toFixed(1)} ms, best ${times[0].toFixed(1)} ms a step; ${(parameters / 1e6).toFixed(2)} M parameters; loss ${first.toFixed(3)} -> ${last.toFixed(6)}; resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  );
  await trainer.close();
}
