// What ways to keep int8 products exact on every processor cost: signal-to-noise ratio of the products' weights, labels
// changed, loss.
//   node bench/safe-pairs.mjs MODEL --task pos|ner --text FILE [--text FILE]…
// One sentence at a time with this session's setting that makes all kernels exact, so that full ranges are judged as
// VNNI computes them on any processor. `least error` chooses among eight scales up to 4 % above the smallest;
// `zero points` leaves LSTMs symmetric, whose kernel takes none.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { groupsView, roundToNearest } from "../packages/compression/dist/rewrite/weight-quantizer.js";
import { finishQuantization } from "../packages/compression/dist/rewrite/finish-quantization.js";
import { dynamic, pairUnits } from "../packages/compression/dist/index.js";
import { quantizeLinear, quantizeMeasured, safePairParameters } from "../packages/core/dist/index.js";
import { readConlluFile } from "../packages/formats/dist/conllu/node.js";
import { parseColumns } from "../packages/formats/dist/iob/index.js";
import { readModelFile, writeModelFile } from "../packages/formats/dist/onnx/node.js";
import { evaluate, flips, withTagger } from "../packages/taggers/dist/index.js";
import { findTagger, openTagger } from "../packages/taggers/dist/node.js";
import { posSentences } from "../packages/tagger-training/dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    task: { type: "string", default: "pos" },
    text: { type: "string", multiple: true, default: [] },
  },
});
const [path] = positionals;

async function sentencesOf(text) {
  if (values.task === "pos") return posSentences(readConlluFile(text));
  return [...parseColumns(await readFile(text, "utf8"), { name: basename(text) })].map(
    ({ words, labels }) => ({ words, labels }),
  );
}

/**
 * Eight scales for each column, from the smallest safe one on: the one under which the column's squared error is least.
 */
function leastError(planned, read) {
  const { shape, granularity, pairAxes } = groupsView(planned);
  if (pairAxes.length !== 1) return roundToNearest(planned, read);
  const x = { ...read(), shape };
  const smallest = safePairParameters(x, { dtype: "int8", symmetric: true }, granularity, pairAxes);
  const best = new Float64Array(smallest.scale.length).fill(Number.POSITIVE_INFINITY);
  const scale = Float32Array.from(smallest.scale);
  for (let step = 0; step < 8; step++) {
    const tried = { ...smallest, scale: smallest.scale.map((value) => value * (1 + 0.005 * step)) };
    const { data } = quantizeLinear(x, tried);
    const errors = new Float64Array(best.length);
    const columns = shape[1];
    for (let i = 0; i < data.length; i++) {
      const group = granularity.axis === 0 ? Math.floor(i / columns) : i % columns;
      errors[group] += (x.data[i] - data[i] * tried.scale[group]) ** 2;
    }
    for (const [group, error] of errors.entries()) {
      if (error >= best[group]) continue;
      best[group] = error;
      scale[group] = tried.scale[group];
    }
  }
  const { quantized, sqnrDb } = quantizeMeasured(x, { ...smallest, scale });
  return { data: quantized.data, scale, zeroPoint: smallest.zeroPoint, sqnrDb };
}

const asymmetric = (planned) => ({
  ...planned,
  symmetric: planned.pairAxes.length === 0 || planned.op === "LSTM",
});
const rules = {
  "full range": { quantizer: (planned, read) => roundToNearest({ ...planned, pairs: "full" }, read) },
  "safe pairs": { quantizer: roundToNearest },
  "safe pairs, units in order": { quantizer: roundToNearest, paired: true },
  "least error": { quantizer: leastError },
  "zero points": { quantizer: (planned, read) => roundToNearest(asymmetric(planned), read) },
  "7 bits": { quantizer: (planned, read) => roundToNearest({ ...planned, reduceRange: true }, read) },
};

const exact = { config: { "session.x64quantprecision": "1" } };
const found = await findTagger(path);
const model = await readModelFile(found.modelPath);
const texts = await Promise.all(values.text.map(sentencesOf));
const original = await openTagger(path);
const before = [];
for (const text of texts) before.push(await evaluate(original, text));
await original.close();
const folder = await mkdtemp(join(tmpdir(), "nasty-safe-pairs-"));
try {
  console.log(
    `| ${basename(path)} | weights, dB | ${values.text.map((text) => `${basename(text)}: labels changed, loss in points`).join(" | ")} |`,
  );
  console.log(`|---|---|${texts.map(() => "---|").join("")}`);
  for (const [name, { quantizer, paired = false }] of Object.entries(rules)) {
    const float = paired ? pairUnits(model).model : model;
    const { model: quantized, report } = finishQuantization(
      "bench",
      float,
      await dynamic.plan(float),
      {},
      quantizer,
    );
    const file = join(folder, "int8.onnx");
    await writeModelFile(file, await withTagger(quantized, found.settings));
    const tagger = await openTagger(file, exact);
    const cells = [];
    for (const [i, text] of texts.entries()) {
      const after = await evaluate(tagger, text);
      const loss = 100 * (before[i].value - after.value);
      cells.push(`${flips(before[i].predictions, after.predictions).length}, ${loss.toFixed(3)}`);
    }
    await tagger.close();
    const products = report.tensors.filter(({ op }) => op !== "Gather");
    const mean = products.reduce((sum, { sqnrDb }) => sum + sqnrDb, 0) / products.length;
    console.log(`| ${name} | ${mean.toFixed(2)} | ${cells.join(" | ")} |`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
