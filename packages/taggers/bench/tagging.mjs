// Sentences a second of a tagger on given words, for several batch sizes, interleaved, one thread; processor time
// beside wall time.
//   node packages/taggers/bench/tagging.mjs MODEL FILE.conllu [SENTENCES] [BATCH SIZES]
import { createReadStream } from "node:fs";
import { readConllu } from "@nasty/formats/conllu";
import { labelledWords } from "../dist/index.js";
import { openTagger } from "../dist/node.js";

const [model, path, count = "600", sizes = "1,2,4,8,16,32"] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write("usage: node tagging.mjs MODEL FILE.conllu [SENTENCES] [BATCH SIZES]\n");
  process.exit(2);
}

const sentences = [];
for await (const { words } of labelledWords(readConllu(createReadStream(path)))) {
  if (sentences.push(words) === Number(count)) break;
}
const tagger = await openTagger(model);
const results = new Map(sizes.split(",").map((size) => [Number(size), []]));

for (let round = 0; round < 4; round++) {
  for (const [batchSize, rounds] of results) {
    const start = performance.now();
    const cpu = process.cpuUsage();
    let done = 0;
    for await (const _ of tagger.tag(sentences, { batchSize })) done++;
    const { user, system } = process.cpuUsage(cpu);
    // The first round warms up: kernels, the word cache, compiled code.
    if (round > 0)
      rounds.push({ wall: done / (performance.now() - start), cpu: (1000 * done) / (user + system) });
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] * 1000;
for (const [size, rounds] of results) {
  const wall = median(rounds.map((round) => round.wall)).toFixed(0);
  const cpu = median(rounds.map((round) => round.cpu)).toFixed(0);
  process.stdout.write(
    `batch ${String(size).padStart(2)}: ${wall} sentences/s, ${cpu} per processor second\n`,
  );
}
await tagger.close();
