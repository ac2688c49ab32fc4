// Tags sentences with int8 files on this processor, on emulated ones and with onnxruntime-web's WebAssembly, and lists
// the words that differ.
//   node scripts/processors/compare-labels.mjs --text FILE.conllu [--sentences 300] [--processor Haswell]… [--tie 0.05] [--json] MODEL…
// Default processors: Haswell (AVX2 without VNNI) and Nehalem (SSE4.1), by qemu-x86_64 of Debian's qemu-user. Integer
// products are exact everywhere, float kernels differ in their last bits: a difference is explained if the word's two
// best scores lie within --tie of each other on both sides. Ends with 1 if a word is not explained, or if no emulator
// is there and --processor asked for one.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readConlluFile } from "../../packages/formats/dist/conllu/node.js";
import { posSentences } from "../../packages/tagger-training/dist/index.js";
import { emulator, runEmulated } from "./emulator.mjs";

const { values, positionals: models } = parseArgs({
  allowPositionals: true,
  options: {
    text: { type: "string" },
    sentences: { type: "string", default: "300" },
    processor: { type: "string", multiple: true },
    tie: { type: "string", default: "0.05" },
    json: { type: "boolean", default: false },
  },
});
const tie = Number(values.tie);
const missing = emulator();
if (missing !== undefined) {
  console.log(`emulated processors: not compared: ${missing}`);
  if (values.processor !== undefined) process.exit(1);
}
const processors = missing === undefined ? (values.processor ?? ["Haswell", "Nehalem"]) : [];

const worker = fileURLToPath(new URL("tag-with-scores.mjs", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "nasty-processors-"));
try {
  const all = await posSentences(readConlluFile(values.text));
  const sentences = all.slice(0, Number(values.sentences)).map(({ words }) => words);
  const list = join(folder, "sentences.json");
  await writeFile(list, JSON.stringify(sentences));
  const taggedBy = async (name, engine, run) => {
    const output = join(folder, `${name}.json`);
    run([worker, output, engine, list, ...models]);
    return JSON.parse(await readFile(output, "utf8"));
  };
  const native = (args) => {
    const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) process.exit(1);
  };
  const here = await taggedBy("native", "native", native);
  const others = { wasm: await taggedBy("wasm", "wasm", native) };
  for (const processor of processors)
    others[processor] = await taggedBy(processor, "native", (args) => runEmulated(processor, args));

  const rows = [];
  for (const [engine, tagged] of Object.entries(others))
    for (const model of models)
      rows.push({ model: basename(model), engine, ...compared(sentences, here[model], tagged[model]) });
  const unexplained = rows.flatMap((row) => row.words.filter(({ explained }) => !explained));
  if (values.json) console.log(JSON.stringify({ tie, rows }, null, 1));
  else for (const row of rows) print(row);
  if (unexplained.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Words with another label, each with the scores of the positions in its sentence that changed their best label. */
function compared(texts, before, after) {
  const words = [];
  let [count, largest] = [0, 0];
  for (const [i, text] of texts.entries()) {
    const [a, b] = [before[i], after[i]];
    count += text.length;
    for (const [j, [[, score]]] of a.scores.entries())
      largest = Math.max(largest, Math.abs(score - b.scores[j][0][1]));
    const changed = a.scores.flatMap((best, j) =>
      best[0][0] === b.scores[j][0][0] ? [] : [[best, b.scores[j]]],
    );
    const gap = ([first, second]) => first[1] - second[1];
    const explained = changed.length > 0 && changed.every((pair) => pair.every((best) => gap(best) <= tie));
    for (const [j, label] of a.labels.entries()) {
      if (label === b.labels[j]) continue;
      words.push({
        sentence: i + 1,
        word: text[j],
        labels: [label, b.labels[j]],
        scores: changed,
        explained,
      });
    }
  }
  return { count, largestDifference: largest, words };
}

function print({ model, engine, count, largestDifference, words }) {
  const unexplained = words.filter(({ explained }) => !explained).length;
  console.log(
    `${model} on ${engine}: ${words.length} of ${count} words differ, ${unexplained} unexplained; best scores differ by at most ${largestDifference.toPrecision(2)}`,
  );
  const shown = (best) => best.map(([, score]) => score.toFixed(4)).join(" / ");
  for (const { sentence, word, labels, scores, explained } of words) {
    const both = scores.map(([a, b]) => `${shown(a)} here, ${shown(b)} there`).join("; ");
    console.log(
      `  sentence ${sentence}: ${word}: ${labels.join(" -> ")}; ${explained ? "a tie" : "NO TIE"}: ${both}`,
    );
  }
}
