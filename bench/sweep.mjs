// A sweep of 100 recipes on a tagger, and the same sweep killed half-way and run again.
//
//   node bench/sweep.mjs MODEL --calibration FILE[:N] --validation FILE [--workers 2] [--classifier PATTERN] [--first PATTERN]
//
// MODEL is a transformer tagger, as a model file or a Hugging Face directory; the patterns name its classifier and its
// first layer, as --skip-layers takes them (default: as exports of BERT name them). Both sweeps run as users run them.
// The second is ended with SIGKILL, workers and all, when half of the recipes are written down; it must come to the
// same frontier, and its chosen file must pass the gate of `quantize eval` as it passed that of the sweep.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual, parseArgs } from "node:util";

const binary = fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calibration: { type: "string" },
    validation: { type: "string" },
    workers: { type: "string", default: "2" },
    classifier: { type: "string", default: "/**/classifier/**" },
    first: { type: "string", default: "/**/layer.0/**" },
  },
});
const [model] = positionals;
const { calibration, validation, workers, classifier, first } = values;
const missing = [model, calibration?.replace(/:\d+$/, ""), validation].find(
  (path) => path === undefined || !existsSync(path),
);
if (missing !== undefined || [model, calibration, validation].includes(undefined)) {
  console.error(
    `bench/sweep.mjs: expected MODEL, --calibration FILE[:N] and --validation FILE, got ${missing ?? "none"}`,
  );
  process.exit(2);
}

/** 48 static, 12 dynamic, 24 + 4 in blocks, 8 of pruned weights, 4 of pruned heads and neurons. */
const recipes = `
model: ${resolve(model)}
data:
  calibration: [${resolve(calibration)}]
  validation: ${resolve(validation)}
sweep:
  - quantize:
      mode: static
      method: [minmax, moving-average, entropy, mse, percentile]
      percentile: [99, 99.9, 99.99, 99.999]
      activations: [symmetric, asymmetric]
      skip-layers: [[], "${classifier}", "${first}"]
  - quantize:
      mode: dynamic
      per-channel: [true, false]
      pairs: [safe, full]
      skip-layers: [[], "${classifier}", "${first}"]
  - quantize:
      mode: int4
      block-size: [16, 32, 64, 128]
      rounding: [nearest, mse, gptq]
      skip-layers: [[], "${classifier}"]
  - quantize:
      mode: weight-only
      block-size: [32, 128]
      rounding: [nearest, gptq]
  - prune:
      sparsity: [0.1, 0.3]
    quantize:
      mode: [static, dynamic, int4]
      method: [minmax, entropy]
  - prune:
      sparsity: [0.1, 0.25]
      structured: true
    quantize:
      mode: [dynamic, int4]
`;

const folder = mkdtempSync(join(tmpdir(), "nasty-bench-sweep-"));
const file = join(folder, "hundred.yaml");
writeFileSync(file, recipes);
const select = "loss <= 0.001";
const args = (output) => ["sweep", file, "--workers", workers, "--output", join(folder, output), "--json"];
const chosen = (output) => ["--select", select, "--selected", join(folder, `${output}.onnx`)];

function ran(rest) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [binary, ...rest], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status !== 0) throw new Error(`nasty ${rest[0]} ended with code ${status}: ${stderr}`);
  return { result: JSON.parse(stdout), stderr };
}

/** Seconds of a run, with the load of the machine before and after. */
function timed(work) {
  const before = loadavg()[0];
  const start = performance.now();
  const value = work();
  const seconds = (performance.now() - start) / 1000;
  return { value, seconds, load: [before, loadavg()[0]].map((load) => load.toFixed(1)).join(" to ") };
}

const written = (output) => {
  const recipesFolder = join(folder, output, "recipes");
  if (!existsSync(recipesFolder)) return 0;
  return readdirSync(recipesFolder).filter((name) => name.endsWith(".json")).length;
};

/** Runs until half of the recipes are written down, and ends the whole group of processes. */
async function killed(output, half) {
  const child = spawn(process.execPath, [binary, ...args(output), ...chosen(output)], {
    detached: true,
    stdio: "ignore",
  });
  const ended = new Promise((done) => child.on("exit", done));
  while (written(output) < half && child.exitCode === null) await delay(20);
  process.kill(-child.pid, "SIGKILL");
  await ended;
  return written(output);
}

/** What does not depend on the clock. */
const settled = ({ frontier, recipes: tried, rungs, selected }) => ({
  tried,
  rungs,
  chosen: selected?.output?.sha256,
  frontier: frontier.map(({ path: _, msPerSentence: __, speedup: ___, ...one }) => one),
});

try {
  const whole = timed(() => ran([...args("whole"), ...chosen("whole")]).result);
  const { recipes: tried, frontier, rungs, selected } = whole.value;
  const minutes = (seconds) => (seconds / 60).toFixed(1);
  console.log(
    `${tried.length} recipes, ${workers} workers: ${minutes(whole.seconds)} minutes (load ${whole.load})`,
  );
  for (const { rung, samples, recipes: count, ended } of rungs)
    console.log(`  rung ${rung}: ${count} recipes on ${samples} sentences, ${ended} ended`);
  const judged = tried
    .flatMap(({ rungs: climbed }) => climbed)
    .reduce((sum, { samples }) => sum + samples, 0);
  const all = tried.length * rungs.at(-1).samples;
  console.log(`  sentences judged: ${judged} of ${all} (${((100 * judged) / all).toFixed(0)} %)`);
  console.log(
    "\n| recipe | size, MB | loss, points (95 %) | labels changed | faster |\n|---|---|---|---|---|",
  );
  for (const { steps, bytes, loss, lossCi95, flips, speedup } of frontier) {
    const named = steps.map(({ kind, options }) => {
      const given = Object.entries(options).filter(([, value]) => String(value) !== "");
      return [kind, ...given.map(([name, value]) => `${name}=${value}`)].join(" ");
    });
    const interval = lossCi95.map((end) => (100 * end).toFixed(2)).join(" to ");
    console.log(
      `| ${named.join(", ")} | ${(bytes / 1e6).toFixed(2)} | ${(100 * loss).toFixed(3)} (${interval}) | ${flips} | ${speedup.toFixed(2)}× |`,
    );
  }
  console.log(
    `\nchosen by ${select}: ${selected.output.bytes} bytes, loss ${(100 * selected.gate.loss).toFixed(3)}`,
  );

  const before = await killed("killed", Math.ceil(tried.length / 2));
  const again = timed(() => ran([...args("killed"), ...chosen("killed"), "--resume"]));
  const { result, stderr } = again.value;
  const left = /rung 1 of \d+: (\d+) recipes/.exec(stderr)?.[1] ?? "0";
  console.log(
    `killed with ${before} recipes written down; the run behind it tried ${left} on the first rung, ${minutes(again.seconds)} minutes (load ${again.load})`,
  );
  const isSame = isDeepStrictEqual(settled(result), settled(whole.value));
  console.log(`same frontier, ends of recipes and chosen bytes: ${isSame ? "yes" : "NO"}`);
  const pair = ["--original", resolve(model), "--quantized", join(folder, "killed.onnx")];
  const { result: compared } = ran(["quantize", "eval", ...pair, "--test", resolve(validation), "--json"]);
  console.log(`its loss by quantize eval: ${(100 * compared.summary.loss).toFixed(3)} points`);
  if (!isSame || compared.summary.loss > 0.001) process.exitCode = 4;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
