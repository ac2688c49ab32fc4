// A BERT-base-shaped token classifier with seeded random weights, written as an exporter would write it: unfused
// attention, LayerNormalization and Erf-GELU decomposed where opset 17 has no operator.
//
//   node bench/bert-base.mjs make FILE.onnx            436 MB
//   node bench/bert-base.mjs run FILE.onnx [OUT.onnx]  quantizes it, compares float32 with int8, audits
//   node bench/bert-base.mjs static FILE.onnx          static against dynamic int8, in turns
//   node bench/bert-base.mjs calibrate FILE.onnx [N]   calibration of N (500) sentences against running them: time in turns, memory
import { spawnSync } from "node:child_process";
import { rm, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { tensor } from "../packages/core/dist/index.js";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  tensorToProto,
} from "../packages/formats/dist/onnx/index.js";
import { readModelFile, writeModelFile } from "../packages/formats/dist/onnx/node.js";

const shape = {
  layers: 12,
  hidden: 768,
  inner: 3072,
  heads: 12,
  vocabulary: 30522,
  positions: 512,
  labels: 17,
};

/** Seeded weights, near-normal: the sum of four uniform bytes of one xorshift word, scaled to the deviation wanted. */
function weights(seed) {
  let state = seed >>> 0 || 1;
  return (count, deviation) => {
    const data = new Float32Array(count);
    // Four uniform bytes have a deviation of 147.8.
    const scale = deviation / 147.8;
    for (let i = 0; i < count; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      data[i] =
        ((state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24) - 510) * scale;
    }
    return data;
  };
}

/** Builds the model; `size` scales it down for tests. */
export function bertBase({ seed = 1, size = shape } = {}) {
  const { layers, hidden, inner, heads, vocabulary, positions, labels } = size;
  const random = weights(seed);
  const nodes = [];
  const initializers = [];
  const constant = (name, dtype, dims, data) => {
    initializers.push(tensorToProto(tensor(dtype, dims, data), name));
    return name;
  };
  const matrix = (name, dims, deviation = 0.02) =>
    constant(
      name,
      "float32",
      dims,
      random(
        dims.reduce((a, b) => a * b, 1),
        deviation,
      ),
    );
  const scalar = (name, value) => constant(name, "float32", [], Float32Array.of(value));
  const integers = (name, values) =>
    constant(name, "int64", [values.length], BigInt64Array.from(values, BigInt));
  const node = (name, opType, inputs, attributes = {}) => {
    const output = `${name}_output_0`;
    nodes.push(makeNode(opType, inputs, [output], { name, attributes }));
    return output;
  };
  const linear = (name, x, [k, n]) => {
    const product = node(`${name}/MatMul`, "MatMul", [x, matrix(`${name}.weight`, [k, n])]);
    return node(`${name}/Add`, "Add", [matrix(`${name}.bias`, [n]), product]);
  };
  const norm = (name, x) =>
    node(
      `${name}/LayerNormalization`,
      "LayerNormalization",
      [
        x,
        constant(`${name}.weight`, "float32", [hidden], new Float32Array(hidden).fill(1)),
        constant(`${name}.bias`, "float32", [hidden], new Float32Array(hidden)),
      ],
      { axis: -1, epsilon: { kind: "float", value: 1e-12 } },
    );

  const zero = integers("zero", [0]);
  const one = integers("one", [1]);
  const two = integers("two", [2]);
  const length = node("/length", "Slice", [node("/shape", "Shape", ["input_ids"]), one, two, zero]);
  const positionIds = constant(
    "position_ids",
    "int64",
    [1, positions],
    BigInt64Array.from({ length: positions }, (_, index) => BigInt(index)),
  );
  const position = node("/positions", "Slice", [positionIds, zero, length, one]);
  const word = node("/embeddings/word", "Gather", [
    matrix("embeddings.word", [vocabulary, hidden]),
    "input_ids",
  ]);
  const type = node("/embeddings/type", "Gather", [matrix("embeddings.type", [2, hidden]), "token_type_ids"]);
  const place = node("/embeddings/position", "Gather", [
    matrix("embeddings.position", [positions, hidden]),
    position,
  ]);
  const sum = node("/embeddings/Add_1", "Add", [node("/embeddings/Add", "Add", [word, type]), place]);
  let x = norm("/embeddings/norm", sum);

  const wide = node("/mask/Unsqueeze", "Unsqueeze", ["attention_mask", integers("mask_axes", [1, 2])]);
  const mask = node("/mask/Cast", "Cast", [wide], { to: 1 });
  const gap = node("/mask/Sub", "Sub", [scalar("mask_one", 1), mask]);
  const bias = node("/mask/Mul", "Mul", [gap, scalar("mask_lowest", -3.4028234663852886e38)]);

  const width = hidden / heads;
  const split = integers("split_heads", [0, 0, heads, width]);
  const merged = integers("merge_heads", [0, 0, hidden]);
  const root = scalar("root", Math.sqrt(width));
  const half = scalar("half", 0.5);
  const unit = scalar("unit", 1);
  const sqrt2 = scalar("sqrt2", Math.SQRT2);
  for (let layer = 0; layer < layers; layer++) {
    const at = `/encoder/layer.${layer}`;
    const head = (which, perm) => {
      const projected = linear(`${at}/attention/${which}`, x, [hidden, hidden]);
      const split4 = node(`${at}/attention/${which}/Reshape`, "Reshape", [projected, split]);
      return node(`${at}/attention/${which}/Transpose`, "Transpose", [split4], { perm });
    };
    const query = head("query", [0, 2, 1, 3]);
    const key = head("key", [0, 2, 3, 1]);
    const value = head("value", [0, 2, 1, 3]);
    const scores = node(`${at}/attention/MatMul`, "MatMul", [query, key]);
    const scaled = node(`${at}/attention/Div`, "Div", [scores, root]);
    const masked = node(`${at}/attention/Add`, "Add", [scaled, bias]);
    const shares = node(`${at}/attention/Softmax`, "Softmax", [masked], { axis: -1 });
    const context = node(`${at}/attention/MatMul_1`, "MatMul", [shares, value]);
    const flat = node(`${at}/attention/Transpose`, "Transpose", [context], { perm: [0, 2, 1, 3] });
    const joined = node(`${at}/attention/Reshape`, "Reshape", [flat, merged]);
    const attended = linear(`${at}/attention/output`, joined, [hidden, hidden]);
    x = norm(`${at}/attention/norm`, node(`${at}/attention/residual`, "Add", [attended, x]));
    const up = linear(`${at}/intermediate`, x, [hidden, inner]);
    const erf = node(`${at}/gelu/Erf`, "Erf", [node(`${at}/gelu/Div`, "Div", [up, sqrt2])]);
    const gate = node(`${at}/gelu/Mul`, "Mul", [up, node(`${at}/gelu/Add`, "Add", [erf, unit])]);
    const gelu = node(`${at}/gelu/Mul_1`, "Mul", [gate, half]);
    const down = linear(`${at}/output`, gelu, [inner, hidden]);
    x = norm(`${at}/norm`, node(`${at}/residual`, "Add", [down, x]));
  }
  const logits = linear("/classifier", x, [hidden, labels]);
  nodes.push(makeNode("Identity", [logits], ["logits"], { name: "/logits" }));

  const dims = ["batch", "sequence"];
  const inputs = ["input_ids", "attention_mask", "token_type_ids"].map((name) =>
    makeValueInfo(name, "int64", dims),
  );
  const outputs = [makeValueInfo("logits", "float32", [...dims, labels])];
  const graph = makeGraph("bert", { nodes, inputs, outputs, initializers });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

const mb = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function feeds(tokens) {
  const ids = (value) =>
    tensor(
      "int64",
      [1, tokens],
      BigInt64Array.from({ length: tokens }, (_, i) => BigInt(value(i))),
    );
  return {
    input_ids: ids((i) => (i * 7919 + 101) % shape.vocabulary),
    attention_mask: ids(() => 1),
    token_type_ids: ids(() => 0),
  };
}

/** What a user's process does: read, quantize, write; run alone so that its peak memory is its own. */
async function quantizeFile(input, output) {
  const started = performance.now();
  const { dynamic } = await import("../packages/compression/dist/index.js");
  const model = await readModelFile(input);
  const { bytes, sha256 } = await writeModelFile(output, await dynamic.quantize(model, { inPlace: true }));
  const seconds = (performance.now() - started) / 1000;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(JSON.stringify({ seconds, peakBytes, bytes, sha256 }));
}

/** Milliseconds of each session's run in turns, so that whatever else the machine does hits both alike. */
async function inTurns(sessions, fed, repeats) {
  const times = sessions.map(() => []);
  for (let run = -3; run < repeats; run++) {
    for (const [index, session] of sessions.entries()) {
      const from = performance.now();
      await session.run(fed);
      if (run >= 0) times[index].push(performance.now() - from);
    }
  }
  return times;
}

async function compare([firstName, firstPath], [secondName, secondPath], lengths = [16, 32, 128]) {
  const { openSession } = await import("../packages/runtime/dist/index.js");
  const sessions = [await openSession(firstPath), await openSession(secondPath)];
  for (const tokens of lengths) {
    const [first, second] = await inTurns(sessions, feeds(tokens), tokens > 64 ? 15 : 40);
    const [a, b] = [median(first), median(second)];
    const pairs = median(first.map((time, run) => time / second[run]));
    console.log(
      `${tokens} tokens: ${firstName} ${a.toFixed(1)} ms, ${secondName} ${b.toFixed(1)} ms, ${(a / b).toFixed(2)}× faster (median of pairs ${pairs.toFixed(2)}×, of the fastest ${(Math.min(...first) / Math.min(...second)).toFixed(2)}×)`,
    );
  }
  for (const session of sessions) await session.close();
}

async function run(input, output) {
  const self = fileURLToPath(import.meta.url);
  const command = [self, "quantize", input, output];
  // One core, where the system can say so.
  const pinned = spawnSync("taskset", ["-V"]).status === 0 ? ["taskset", "-c", "0"] : [];
  const [program, ...rest] = [...pinned, process.execPath, ...command];
  const child = spawnSync(program, rest, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (child.status !== 0) throw new Error(`quantizing ended with ${child.status}`);
  const done = JSON.parse(child.stdout);
  const before = (await stat(input)).size;
  console.log(`quantized in ${done.seconds.toFixed(2)} s, peak ${mb(done.peakBytes)}`);
  console.log(`${mb(before)} → ${mb(done.bytes)}, ${(before / done.bytes).toFixed(2)}× smaller`);
  const { auditModel } = await import("../packages/runtime/dist/index.js");
  const { quantizedKernels, floatMatMuls, strayQdq } = await auditModel(output);
  console.log(`audit: ${quantizedKernels} quantized kernels, ${floatMatMuls} float, ${strayQdq} stray pairs`);
  await compare(["float32", input], ["int8", output]);
}

/** Sentences of random words, as long as English ones are in subwords: 5 to 100, a mean near 25. */
function* sentences(count) {
  let state = 7;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const length = 5 + Math.floor(95 * (state / 2 ** 32) ** 4);
    const fed = feeds(length);
    yield { feeds: fed, mask: fed.attention_mask };
  }
}

async function staticAgainstDynamic(input) {
  const { collectRanges } = await import("../packages/calibration/dist/index.js");
  const { dynamic, int8 } = await import("../packages/compression/dist/index.js");
  const { auditModel } = await import("../packages/runtime/dist/index.js");
  const model = await readModelFile(input);
  const calibrationTable = await collectRanges(model, int8.activations(model), sentences(10));
  const files = { dynamic: `${input}.dynamic.onnx`, static: `${input}.static.onnx` };
  await writeModelFile(files.dynamic, await dynamic.quantize(model));
  await writeModelFile(files.static, await int8.quantize(model, { calibrationTable }));
  for (const [name, file] of Object.entries(files)) {
    const { kernels, quantizedKernels, floatMatMuls, strayQdq } = await auditModel(file);
    const counts = kernels.map(({ op, count }) => `${count} ${op}`).join(", ");
    console.log(
      `${name}: ${quantizedKernels} quantized kernels, ${floatMatMuls} float, ${strayQdq} stray (${counts})`,
    );
  }
  await compare(["dynamic", files.dynamic], ["static", files.static]);
  for (const file of Object.values(files)) await rm(file);
}

const cpuMilliseconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Calibration and the plain float32 run take turns, sentence by sentence, in one process. */
async function calibrationTime(input, count, method) {
  const { collectRanges } = await import("../packages/calibration/dist/index.js");
  const { int8 } = await import("../packages/compression/dist/index.js");
  const { openSession } = await import("../packages/runtime/dist/index.js");
  const model = await readModelFile(input);
  const float = await openSession(input);
  const plain = { wall: 0, cpu: 0 };
  let from = { wall: 0, cpu: 0 };
  const now = () => ({ wall: performance.now(), cpu: cpuMilliseconds() });
  async function* turns() {
    let first = true;
    for (const batch of sentences(count + 1)) {
      const start = now();
      await float.run(batch.feeds);
      const end = now();
      // The first sentence warms both up; opening the session and the search at the end count for calibration.
      if (first) from = now();
      else for (const key of ["wall", "cpu"]) plain[key] += end[key] - start[key];
      first = false;
      yield batch;
    }
  }
  await collectRanges(model, int8.activations(model), turns(), { method });
  const end = now();
  await float.close();
  const ratio = (key) => ((end[key] - from[key] - plain[key]) / plain[key]).toFixed(2);
  console.log(
    `${method}: ${count} sentences in ${(plain.wall / 1000).toFixed(1)} s of float32, calibration ${ratio("wall")}× that (processor time ${ratio("cpu")}×)`,
  );
}

/** Peak memory of a process of its own that runs, or calibrates on, the sentences. */
async function memoryOf(input, count, method) {
  const { collectRanges } = await import("../packages/calibration/dist/index.js");
  const { int8 } = await import("../packages/compression/dist/index.js");
  const { openSession } = await import("../packages/runtime/dist/index.js");
  const model = await readModelFile(input);
  if (method === "none") {
    const session = await openSession(model);
    for (const { feeds: fed } of sentences(count)) await session.run(fed);
    await session.close();
  } else await collectRanges(model, int8.activations(model), sentences(count), { method });
  process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
}

async function calibrate(input, count) {
  const peak = (method) => {
    const self = fileURLToPath(import.meta.url);
    const args = [self, "memory", input, String(count), method];
    const child = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (child.status !== 0) throw new Error(child.stderr);
    return Number(child.stdout);
  };
  const alone = peak("none");
  console.log(`peak memory: running ${mb(alone)}`);
  for (const method of ["minmax", "entropy"]) {
    const bytes = peak(method);
    console.log(`peak memory: ${method} ${mb(bytes)}, ${mb(bytes - alone)} over it`);
  }
  for (const method of ["minmax", "entropy"]) await calibrationTime(input, count, method);
}

const [command, input, output = `${input}.int8.onnx`, method] = process.argv.slice(2);
if (command === "make") {
  const { bytes } = await writeModelFile(input, bertBase());
  console.log(`${input}: ${mb(bytes)}`);
} else if (command === "quantize") {
  await quantizeFile(input, output);
} else if (command === "run") {
  await run(input, output);
} else if (command === "static") {
  await staticAgainstDynamic(input);
} else if (command === "calibrate") {
  await calibrate(input, Number(process.argv[4] ?? 500));
} else if (command === "memory") {
  await memoryOf(input, Number(output), method);
} else if (command !== undefined) {
  console.error(
    "usage: node bench/bert-base.mjs make FILE.onnx | run FILE.onnx [OUT.onnx] | static FILE.onnx | calibrate FILE.onnx [N]",
  );
  process.exitCode = 2;
}
