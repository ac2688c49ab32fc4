// Every way of quantizing behind an accuracy gate, and a model with planted outlier channels, as rows of Markdown.
//
//   node bench/gate.mjs table MODEL --validation FILE [--test FILE] --calibration FILE[:N] [--target 0.001] [--only TEXT]
//   node bench/gate.mjs plant MODEL --output FILE.onnx [--layer 1] [--channels 4] [--factor 500]
//
// `table` runs the command as users do: the file that passed stands on the disk, or the exit code is 4. The loss on the
// test file, which the gate did not see, is measured afterwards. `plant` multiplies channels of one layer's attention
// values and divides the rows that read them: a float model that computes the same, and activations whose largest
// channels leave one scale for all nothing.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseConllu, words } from "../packages/formats/dist/conllu/index.js";
import { parseColumns } from "../packages/formats/dist/iob/index.js";
import { tensorFromProto, tensorToProto } from "../packages/formats/dist/onnx/index.js";
import { readModelFile, writeModelFile } from "../packages/formats/dist/onnx/node.js";
import { evaluate, flips, withTagger } from "../packages/taggers/dist/index.js";
import { findTagger, openTagger } from "../packages/taggers/dist/node.js";

const binary = fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));

/** Each mode with each way to find its numbers. */
function configurations(calibration) {
  const text = ["--calibration", calibration];
  return [
    ["dynamic", []],
    ...["minmax", "moving-average", "percentile", "entropy", "mse"].map((method) => [
      `static, ${method}`,
      ["--mode", "static", "--method", method, ...text],
    ]),
    ...["int4", "weight-only"].flatMap((mode) => [
      [`${mode}, nearest`, ["--mode", mode, "--rounding", "nearest"]],
      [`${mode}, mse`, ["--mode", mode, "--rounding", "mse"]],
      [`${mode}, gptq`, ["--mode", mode, "--rounding", "gptq", ...text]],
    ]),
  ];
}

function labelled(path) {
  const text = readFileSync(path, "utf8");
  if (!path.endsWith(".conllu")) return parseColumns(text);
  return parseConllu(text).map((sentence) => {
    const found = words(sentence);
    return { words: found.map(({ form }) => form), labels: found.map(({ upos }) => upos) };
  });
}

async function judged(path, sentences) {
  const tagger = await openTagger(path, { threads: 1 });
  try {
    return await evaluate(tagger, sentences, { batchSize: 1 });
  } finally {
    await tagger.close();
  }
}

const points = (loss) => (100 * loss).toFixed(3);
const row = (cells) => console.log(`| ${cells.join(" | ")} |`);

async function printTable(model, { validation, test, calibration, target, only }) {
  const sentences = test === undefined ? undefined : labelled(test);
  const original = sentences === undefined ? undefined : await judged(model, sentences);
  const folder = mkdtempSync(join(tmpdir(), "nasty-gate-"));
  const file = join(folder, "gated.onnx");
  const head = ["mode", "exit code", "loss, validation", "flips", "left in float", "models tried", "MB"];
  try {
    row([...head, ...(sentences === undefined ? [] : ["loss, test", "flips, test"])]);
    row([
      "---",
      ...Array(head.length - 1).fill("---:"),
      ...(sentences === undefined ? [] : ["---:", "---:"]),
    ]);
    for (const [name, options] of configurations(calibration)) {
      if (only !== undefined && !name.includes(only)) continue;
      rmSync(file, { force: true });
      const judge = ["--validation", validation, "--target-accuracy-loss", target];
      const command = [binary, "quantize", "--model", model, "--output", file, "--json", "--quiet"];
      const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...options, ...judge], {
        encoding: "utf8",
        maxBuffer: 1e8,
      });
      if (status !== 0 && status !== 4) throw new Error(`${name}: exit code ${status}: ${stderr}`);
      const { gate, output } = JSON.parse(stdout);
      const found = [
        name,
        status,
        points(gate.loss),
        gate.flips,
        gate.keptInFloat.length,
        gate.attempts,
        output === null ? "–" : (output.bytes / 1e6).toFixed(2),
      ];
      if (original !== undefined && existsSync(file)) {
        const result = await judged(file, sentences);
        found.push(
          points(original.value - result.value),
          flips(original.predictions, result.predictions).length,
        );
      } else if (original !== undefined) found.push("–", "–");
      row(found);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Changes a constant in place: `change` gets a value and its index. */
function changeConstant(graph, name, change) {
  const at = graph.initializer.findIndex((tensor) => tensor.name === name);
  const { shape, ...tensor } = tensorFromProto(graph.initializer[at]);
  graph.initializer[at] = tensorToProto(
    { ...tensor, shape, data: tensor.data.map((value, index) => change(value, index, shape)) },
    name,
  );
}

async function plant(path, { output, layer, channels, factor }) {
  const { modelPath, settings } = await findTagger(path);
  const model = await readModelFile(modelPath);
  const { graph } = model;
  const named = (pattern) => graph.node.find(({ name }) => pattern.test(name));
  const place = `layer\\.${layer}/attention`;
  const value = named(new RegExp(`${place}/self/value/MatMul$`));
  const bias = named(new RegExp(`${place}/self/value/Add$`));
  const dense = named(new RegExp(`${place}/output/dense/MatMul$`));
  if (value === undefined || bias === undefined || dense === undefined) {
    throw new Error(`layer ${layer}: expected the nodes of a BERT as torch exports it, got none`);
  }
  const isPlanted = (channel, width) => channel % Math.floor(width / channels) === 0;
  const constants = new Set(graph.initializer.map(({ name }) => name));
  changeConstant(graph, value.input[1], (x, index, [, width]) =>
    isPlanted(index % width, width) ? x * factor : x,
  );
  changeConstant(
    graph,
    bias.input.find((name) => constants.has(name)),
    (x, index, [width]) => (isPlanted(index, width) ? x * factor : x),
  );
  changeConstant(graph, dense.input[1], (x, index, [height, width]) =>
    isPlanted(Math.floor(index / width), height) ? x / factor : x,
  );
  await writeModelFile(output, await withTagger(model, settings));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    validation: { type: "string" },
    test: { type: "string" },
    calibration: { type: "string" },
    target: { type: "string", default: "0.001" },
    only: { type: "string" },
    output: { type: "string" },
    layer: { type: "string", default: "1" },
    channels: { type: "string", default: "4" },
    factor: { type: "string", default: "500" },
  },
});
const [command, model] = positionals;
if (command === "table") await printTable(model, values);
else if (command === "plant") {
  await plant(model, {
    output: values.output,
    layer: Number(values.layer),
    channels: Number(values.channels),
    factor: Number(values.factor),
  });
} else {
  console.error("usage: node bench/gate.mjs table|plant MODEL …: see the top of the file");
  process.exitCode = 2;
}
