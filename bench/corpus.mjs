// A corpus tagged with one worker and with two: time, processor time, memory, and whether the bytes are the same.
//
//   node bench/corpus.mjs FILE [--times 20] [--rounds 1] [--workers 1,2] [--format conllu] [--model MODEL]
//
// FILE is repeated that many times in a temporary folder; UD English-EWT's training file 20 times has 4 million words.
// Runs are interleaved. On a machine that does other work too, time says little: the ratio of processor times says what
// more workers cost beside. Memory is that of all processes together, read from /proc four times a second.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: "string", default: "20" },
    rounds: { type: "string", default: "1" },
    workers: { type: "string", default: "1,2" },
    format: { type: "string" },
    model: { type: "string" },
  },
});
const [file] = positionals;
if (file === undefined) throw new Error("corpus: expected a text to repeat, got none; name a file");
const nasty = fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "nasty-corpus-"));

async function repeated() {
  const path = join(folder, "corpus");
  const output = createWriteStream(path);
  const bytes = readFileSync(file);
  for (let time = 0; time < Number(values.times); time++) {
    if (!output.write(bytes)) await once(output, "drain");
  }
  output.end();
  await once(output, "close");
  return path;
}

/** A field of /proc/PID/status in kB. */
function residentOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function childrenOf(pid) {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children === "" ? [] : children.split(" ");
  } catch {
    return [];
  }
}

async function run(corpus, workers, output) {
  const args = [nasty, "tag", corpus, "--output", output, "--workers", String(workers), "--json"];
  if (values.format !== undefined) args.push("--format", values.format);
  if (values.model !== undefined) args.push("--model", values.model);
  // The shell knows the processor time of all that it waited for.
  const command = 'TIMEFORMAT="%R %U %S"; time "$@"';
  const child = spawn("bash", ["-c", command, "bash", process.execPath, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let said = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  child.stderr.on("data", (chunk) => (said += chunk));
  const samples = [];
  const timer = setInterval(() => {
    const [main] = childrenOf(child.pid);
    if (main === undefined) return;
    samples.push([main, ...childrenOf(main)].reduce((sum, pid) => sum + residentOf(pid), 0) / 1000);
  }, 250);
  const [code] = await once(child, "close");
  clearInterval(timer);
  if (code !== 0) throw new Error(`corpus: expected a run that ends well, got code ${code}: ${said}`);
  const [seconds, user, system] = said.trim().split("\n").at(-1).split(" ").map(Number);
  const result = JSON.parse(text);
  const half = Math.floor(samples.length / 2);
  return {
    workers,
    words: result.words,
    shards: result.shards,
    seconds,
    processorSeconds: user + system,
    wordsPerSecond: result.words / seconds,
    peakMB: Math.max(...samples),
    // Memory that grows with the corpus shows here.
    peakOfFirstHalfMB: Math.max(...samples.slice(0, half)),
    sha256: hashOf(output),
    load: loadavg()[0],
  };
}

function hashOf(output) {
  const hash = createHash("sha256");
  for (const name of readdirSync(output).toSorted()) {
    if (/^\d/.test(name)) hash.update(name).update(readFileSync(join(output, name)));
  }
  return hash.digest("hex");
}

try {
  const corpus = await repeated();
  const counts = values.workers.split(",").map(Number);
  const runs = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const workers of round % 2 === 0 ? counts : counts.toReversed()) {
      const output = join(folder, `out-${round}-${workers}`);
      const one = await run(corpus, workers, output);
      runs.push(one);
      console.log(JSON.stringify(one));
      rmSync(output, { recursive: true });
    }
  }
  const best = (workers, key) =>
    Math.min(...runs.filter((one) => one.workers === workers).map((one) => one[key]));
  const [first] = counts;
  for (const workers of counts.slice(1)) {
    const speedup = best(first, "seconds") / best(workers, "seconds");
    const cost = best(workers, "processorSeconds") / best(first, "processorSeconds");
    console.log(
      `${workers} against ${first}: ${speedup.toFixed(2)}× as fast, ${cost.toFixed(2)}× the processor time, same bytes: ${new Set(runs.map((one) => one.sha256)).size === 1}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
