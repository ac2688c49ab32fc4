// Reading speed of CoNLL-U, through the streaming reader of files (open, read, decode, parse, hand over).
//
//   node packages/formats/bench/conllu.mjs [FILE.conllu] [ROUNDS]     (after the build)
//
// Without a file it reads a corpus that it generates: 20,000 sentences, seeded, 18 MB.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseConllu, serializeConllu, validateConllu } from "../dist/conllu/index.js";
import { readConlluFile } from "../dist/conllu/node.js";

const say = (line) => process.stdout.write(`${line}\n`);
const rounds = Number(process.argv[3] ?? 15);
const folder = mkdtempSync(join(tmpdir(), "bench-"));
try {
  const path = process.argv[2] ?? generate(join(folder, "generated.conllu"));
  const text = readFileSync(path, "utf8");
  const megabytes = readFileSync(path).length / 1e6;
  say(`${cpus()[0]?.model.trim()}, Node ${process.version}, ${megabytes.toFixed(1)} MB, ${rounds} rounds`);

  let rows = 0;
  const read = async () => {
    rows = 0;
    for await (const sentence of readConlluFile(path)) rows += sentence.rows.length;
  };
  await report("read file, first time", megabytes, 1, read);
  await report("read file, streaming", megabytes, rounds, read);
  let sentences = [];
  await report("parse text", megabytes, rounds, () => {
    sentences = parseConllu(text);
  });
  await report("serialize", megabytes, rounds, () => serializeConllu(sentences));
  await report("validate, level 2", megabytes, 3, () => validateConllu(text));
  say(`${rows} rows; byte-exact: ${serializeConllu(sentences) === text}`);
} finally {
  rmSync(folder, { recursive: true });
}

async function report(name, megabytes, times, run) {
  const seconds = [];
  for (let round = 0; round < times; round++) {
    const start = performance.now();
    await run();
    seconds.push((performance.now() - start) / 1000);
  }
  seconds.sort((a, b) => a - b);
  const median = seconds[times >> 1];
  say(
    `${name.padEnd(24)} median ${(megabytes / median).toFixed(0).padStart(4)} MB/s, best ${(megabytes / seconds[0]).toFixed(0).padStart(4)} MB/s`,
  );
}

function generate(path) {
  let state = 1;
  const next = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const letters = "etaoinshrdlucmfwyp";
  const word = () => Array.from({ length: 1 + next(9) }, () => letters[next(letters.length)]).join("");
  const tags = ["NOUN", "VERB", "ADP", "DET", "ADJ", "PUNCT", "PRON"];
  const parts = [];
  for (let sentence = 0; sentence < 20_000; sentence++) {
    const length = 3 + next(25);
    parts.push(`# sent_id = generated-${sentence}\n# text = ${Array.from({ length }, word).join(" ")}\n`);
    for (let id = 1; id <= length; id++) {
      const form = word();
      const head = id === 1 ? 0 : 1;
      const deprel = id === 1 ? "root" : "dep";
      const feats = next(2) === 0 ? "_" : "Mood=Ind|Number=Sing|Person=3";
      parts.push(
        `${id}\t${form}\t${form}\t${tags[next(tags.length)]}\tXX\t${feats}\t${head}\t${deprel}\t${head}:${deprel}\t_\n`,
      );
    }
    parts.push("\n");
  }
  writeFileSync(path, parts.join(""));
  return path;
}
