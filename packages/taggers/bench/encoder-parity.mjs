// An encoder built from safetensors against the same model's ONNX export: largest difference, and time of both.
// node packages/taggers/bench/encoder-parity.mjs MODEL_DIRECTORY
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSafetensors } from "@nasty/formats/safetensors";
import { openSession } from "@nasty/runtime";
import { buildEncoder } from "../dist/encoders/index.js";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: encoder-parity.mjs MODEL_DIRECTORY");
const config = JSON.parse(await readFile(join(directory, "config.json"), "utf8"));
const tensors = parseSafetensors(await readFile(join(directory, "model.safetensors")));
const exported = await openSession(join(directory, "onnx/model.onnx"));
const built = await openSession(buildEncoder(config, tensors));

let seed = 1;
const random = (bound) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((seed / 2 ** 32) * bound);
};
function feeds(lengths) {
  const width = Math.max(...lengths);
  const shape = [lengths.length, width];
  const make = (value) => ({
    dtype: "int64",
    shape,
    data: BigInt64Array.from({ length: lengths.length * width }, (_, i) =>
      BigInt(value(Math.floor(i / width), i % width)),
    ),
  });
  const padId = config.pad_token_id ?? 0;
  const all = {
    input_ids: make((row, at) => (at < lengths[row] ? 5 + random(config.vocab_size - 5) : padId)),
    attention_mask: make((row, at) => (at < lengths[row] ? 1 : 0)),
    token_type_ids: make(() => 0),
  };
  return { shape, all };
}
const pick = (session, all) => Object.fromEntries(session.inputs.map(({ name }) => [name, all[name]]));

let worst = 0;
let largest = 0;
for (const lengths of [[7], [24], [20, 3, 11, 20], [1, 60]]) {
  const { shape, all } = feeds(lengths);
  const [a, b] = [await exported.run(pick(exported, all)), await built.run(pick(built, all))];
  const labels = a.logits.shape[2];
  for (let row = 0; row < shape[0]; row++) {
    for (let i = 0; i < lengths[row] * labels; i++) {
      const at = row * shape[1] * labels + i;
      worst = Math.max(worst, Math.abs(a.logits.data[at] - b.logits.data[at]));
      largest = Math.max(largest, Math.abs(a.logits.data[at]));
    }
  }
}
console.log(
  `largest difference of a score: ${worst.toExponential(2)}, of scores up to ${largest.toFixed(2)}`,
);
const { all } = feeds([24]);
for (const round of [1, 2]) {
  for (const [name, session] of Object.entries({ exported, built })) {
    const input = pick(session, all);
    for (let i = 0; i < 20; i++) await session.run(input);
    const times = [];
    for (let i = 0; i < 200; i++) {
      const start = performance.now();
      await session.run(input);
      times.push(performance.now() - start);
    }
    times.sort((x, y) => x - y);
    console.log(
      `round ${round}: ${name}: median ${times[100].toFixed(3)} ms, best ${times[0].toFixed(3)} ms (1 × 24 subwords)`,
    );
  }
}
