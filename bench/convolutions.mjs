// Float Conv against the same as int8 between QuantizeLinear and DequantizeLinear, over shapes: what the rule of
// docs/decisions/140 was read from.
//   node bench/convolutions.mjs [--filter PART] [--milliseconds 150]
// `alone` is one convolution with float values before and behind it; `chain` four in a row with Relu between, which
// stay integers. A ratio above 1 is in favour of int8. One thread; both sessions in turn, ratios of the medians.
import { parseArgs } from "node:util";
import { seededRandom, tensor } from "../packages/core/dist/index.js";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  serializeModel,
  tensorToProto,
} from "../packages/formats/dist/onnx/index.js";
import { environment, openSession } from "../packages/runtime/dist/index.js";

const { values } = parseArgs({
  options: { filter: { type: "string", default: "" }, milliseconds: { type: "string", default: "150" } },
});
const budget = Number(values.milliseconds);

/** Channels in and out, groups, kernel and input, the last two by axis. */
const shapes = [];
const add = (name, channels, outputs, group, kernel, input) =>
  shapes.push({ name, channels, outputs, group, kernel, input });
for (const channels of [16, 32, 64, 128, 256])
  for (const size of [7, 14, 28, 56]) {
    if (channels * size > 128 * 56) continue;
    add("pointwise", channels, channels, 1, [1, 1], [size, size]);
    add("3x3", channels, channels, 1, [3, 3], [size, size]);
    add("depthwise 3x3", channels, channels, channels, [3, 3], [size, size]);
    if (size === 14) {
      add("depthwise 5x5", channels, channels, channels, [5, 5], [size, size]);
      for (const group of [2, 4, 8, 32])
        if (group < channels) add("grouped 3x3", channels, channels, group, [3, 3], [size, size]);
    }
  }
for (const [channels, outputs] of [
  [3, 16],
  [3, 32],
  [1, 64],
])
  add("first 3x3", channels, outputs, 1, [3, 3], [112, 112]);
for (const [channels, outputs] of [
  [16, 96],
  [96, 16],
  [96, 24],
  [24, 96],
  [256, 8],
  [256, 1],
  [384, 96],
]) {
  add("unequal pointwise", channels, outputs, 1, [1, 1], [28, 28]);
  add("unequal 3x3", channels, outputs, 1, [3, 3], [28, 28]);
}
for (const channels of [96, 384, 1024]) add("one position", channels, channels / 4, 1, [1, 1], [1, 1]);
for (const channels of [32, 64, 128, 256, 512])
  for (const length of [32, 256]) {
    add("1-D 3", channels, channels, 1, [3], [length]);
    add("1-D 1", channels, channels, 1, [1], [length]);
    add("1-D depthwise 3", channels, channels, channels, [3], [length]);
  }
for (const channels of [16, 64]) add("3-D 3x3x3", channels, channels, 1, [3, 3, 3], [14, 14, 14]);

const random = seededRandom(1);
const noise = (shape) => {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = random.normal();
  return tensor("float32", shape, data);
};

function modelOf({ channels, outputs, group, kernel, input }, count, isQuantized) {
  const nodes = [];
  const initializers = [];
  const put = (name, value) => {
    initializers.push(tensorToProto(value, name));
    return name;
  };
  const one = (value) => tensor("float32", [], Float32Array.of(value));
  const pads = kernel.map((size) => size >> 1);
  let at = "x";
  const around = (name, scale, zero) => {
    const parameters = [
      put(`${name}_s`, one(scale)),
      put(`${name}_z`, tensor("uint8", [], Uint8Array.of(zero))),
    ];
    nodes.push(makeNode("QuantizeLinear", [name, ...parameters], [`${name}_q`]));
    nodes.push(makeNode("DequantizeLinear", [`${name}_q`, ...parameters], [`${name}_d`]));
    return `${name}_d`;
  };
  if (isQuantized) at = around("x", 8 / 255, 128);
  for (let i = 0; i < count; i++) {
    const from = i === 0 ? channels : outputs;
    const shape = [outputs, from / group, ...kernel];
    const scale = 1 / (64 * Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1)));
    const w = noise(shape);
    const names = [`W${i}`, `b${i}`];
    if (isQuantized) {
      put(
        `W${i}q`,
        tensor(
          "int8",
          shape,
          Int8Array.from(w.data, (v) => Math.max(-64, Math.min(64, v * 32))),
        ),
      );
      put(`W${i}s`, tensor("float32", [outputs], new Float32Array(outputs).fill(scale)));
      put(`W${i}z`, tensor("int8", [outputs], new Int8Array(outputs)));
      put(`b${i}q`, tensor("int32", [outputs], new Int32Array(outputs)));
      put(
        `b${i}s`,
        tensor("float32", [outputs], new Float32Array(outputs).fill((scale * (i === 0 ? 8 : 6)) / 255)),
      );
      nodes.push(
        makeNode("DequantizeLinear", [`W${i}q`, `W${i}s`, `W${i}z`], [`W${i}`], { attributes: { axis: 0 } }),
      );
      nodes.push(makeNode("DequantizeLinear", [`b${i}q`, `b${i}s`], [`b${i}`], { attributes: { axis: 0 } }));
    } else {
      put(
        `W${i}`,
        tensor(
          "float32",
          shape,
          w.data.map((v) => v * 32 * scale),
        ),
      );
      put(`b${i}`, tensor("float32", [outputs], new Float32Array(outputs)));
    }
    const output = `c${i}`;
    nodes.push(
      makeNode("Conv", [at, ...names], [isQuantized ? output : `${output}f`], {
        attributes: { group, kernel_shape: kernel, pads: [...pads, ...pads] },
      }),
    );
    if (isQuantized) at = around(output, 6 / 255, 0);
    else {
      nodes.push(makeNode("Relu", [`${output}f`], [output]));
      at = output;
    }
  }
  const graph = makeGraph("bench", {
    nodes,
    initializers,
    inputs: [makeValueInfo("x", "float32", [1, channels, ...input])],
    outputs: [makeValueInfo(at, "float32")],
  });
  return serializeModel(makeModel(graph, { opsets: { "": 13 }, irVersion: 8 }));
}

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];

/** Medians of two sessions that run in turn, in microseconds. */
async function compare(shape, count) {
  const sessions = [];
  for (const isQuantized of [false, true])
    sessions.push(await openSession(modelOf(shape, count, isQuantized), { threads: 1 }));
  const feeds = { x: noise([1, shape.channels, ...shape.input]) };
  const times = [[], []];
  const end = performance.now() + budget;
  for (let round = 0; performance.now() < end || round < 8; round++) {
    for (const [index, session] of sessions.entries()) {
      const start = performance.now();
      await session.run(feeds);
      if (round > 2) times[index].push(1000 * (performance.now() - start));
    }
  }
  for (const session of sessions) await session.close();
  return times.map(median);
}

const { cpu, instructionSets } = environment();
console.log(`${cpu}: ${instructionSets.join(", ")}`);
console.log("| shape | channels | groups | input | alone, float µs | int8 µs | ratio | chain of 4, ratio |");
console.log("|---|---|---|---|---|---|---|---|");
for (const shape of shapes) {
  const { name, channels, outputs, group, input } = shape;
  if (!name.includes(values.filter)) continue;
  const [float, int8] = await compare(shape, 1);
  const chain = channels === outputs ? await compare(shape, 4) : undefined;
  const ratio = chain === undefined ? "" : (chain[0] / chain[1]).toFixed(2);
  console.log(
    `| ${name} | ${channels}→${outputs} | ${group} | ${input.join("×")} | ${float.toFixed(0)} | ${int8.toFixed(0)} | ${(float / int8).toFixed(2)} | ${ratio} |`,
  );
}
