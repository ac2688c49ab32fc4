// Installs the packed packages with npm, as a user would, where the GPU libraries of onnxruntime-node cannot be
// fetched, and runs them under Node 20, 22 and 24, Bun, Deno and tsx, on the native library, on its WebAssembly build
// and on the portable engine: the labels must be the same, and on the same engine the bytes of a file quantized by
// measured ranges. The packages that only tag are installed by themselves too, without any ONNX Runtime; they, and a
// module that the command exported, must give the same bits everywhere, in Chromium and in workerd too.
//   node scripts/engines/test.mjs [--all]
// An engine that the registry does not give is named and left out, unless --all is there.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packAll, run, writeProject } from "../packed/pack.mjs";
import { installEngines, installWorkerd } from "./engines.mjs";
import { checkBits, exportModule, installLight } from "./light.mjs";

const work = mkdtempSync(join(tmpdir(), "nasty-engines-"));
const project = join(work, "project");
const light = join(work, "light");
const module = join(work, "module");
const program = fileURLToPath(new URL("first-tag.mjs", import.meta.url));
/** As JavaScript for the engines that know nothing else, as TypeScript for a loader. */
const programs = ["first-tag.mjs", "first-tag.ts"];
const model = join(project, "node_modules", "@nasty", "model-en-float32", "models", "pos-en.onnx.br");
const sample = join(project, "node_modules", "@nasty", "model-en", "sample", "sample-en.conllu");
const nasty = join(project, "node_modules", "@nasty", "cli", "bin", "nasty.js");
const native = join(project, "node_modules", "onnxruntime-node");

/** Nobody listens there, so the install script fails at once, wherever this runs. */
const nowhere = "http://127.0.0.1:9";
const labels = "Time/NOUN flies/VERB like/ADP an/DET arrow/NOUN ./PUNCT";
const seconds = (since) => ((performance.now() - since) / 1000).toFixed(2);

function expectEqual(where, what, got, expected) {
  if (got !== expected) throw new Error(`${where}: ${what}: expected ${expected}, got ${got}`);
}

function npmInstall(env) {
  const begun = performance.now();
  run("npm", ["install", "--no-audit", "--no-fund"], { cwd: project, env });
  return seconds(begun);
}

/** Runs a program under an engine of JavaScript on one of ours; what it prints, and the seconds. */
function under(engine, build, args, { input = "", cwd = project } = {}) {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(engine.command, [...engine.before, ...args], {
    cwd,
    env: { ...process.env, NASTY_ENGINE: build },
    encoding: "utf8",
    input,
    timeout: 60_000,
  });
  const where = `${engine.name} ${engine.version}, ${build}: ${args.join(" ")}`;
  if (status !== 0) throw new Error(`${where}: exit code: expected 0, got ${status}: ${stderr}`);
  return { where, stdout: stdout.trim(), seconds: seconds(begun) };
}

/**
 * What the first engine wrote on each build, which all others must write: kernels of another build round sums in
 * another order.
 */
const digests = {};

function check(engine) {
  const times = ["native", "wasm", "portable"].map((build) => {
    const program = under(engine, build, [engine.program]);
    expectEqual(program.where, "labels", program.stdout, labels);
    const command = under(engine, build, [nasty, "tag"], { input: "Time flies like an arrow." });
    expectEqual(command.where, "labels", command.stdout, labels);
    const tag = `${build}: first tag ${program.seconds} s, by the command ${command.seconds} s`;
    // A loader of TypeScript computes on Node as ever.
    if (engine.package === "tsx") return tag;
    const output = join(work, `${engine.name}-${build}.onnx`);
    const options = ["--calibration", `${sample}:50`, "--method", "percentile", "--output", output, "--json"];
    const quantize = under(engine, build, [nasty, "quantize", "--model", model, ...options]);
    const { sha256 } = JSON.parse(quantize.stdout).output;
    digests[build] ??= sha256;
    expectEqual(quantize.where, "sha256 of the file", sha256, digests[build]);
    return `${tag}, quantize ${quantize.seconds} s`;
  });
  process.stdout.write(`${engine.name} ${engine.version}: ${times.join("; ")}\n`);
}

function checkLight(engine) {
  const tagged = under(engine, "", [engine.program], { cwd: light });
  expectEqual(`${tagged.where} without ONNX Runtime`, "labels", tagged.stdout, labels);
  process.stdout.write(
    `${engine.name} ${engine.version}: without ONNX Runtime: first tag ${tagged.seconds} s\n`,
  );
}

try {
  const packed = packAll(join(work, "tarballs"));
  writeProject(project, packed);
  for (const name of programs) copyFileSync(program, join(project, name));
  installLight(light, packed);
  for (const name of programs) copyFileSync(program, join(light, name));

  const plain = npmInstall({ GLOBAL_AGENT_HTTPS_PROXY: nowhere, npm_config_ignore_scripts: "false" });
  const survived = existsSync(native) ? "its script was not run" : "left out by npm";
  process.stdout.write(`npm install without NuGet: ${plain} s (onnxruntime-node: ${survived})\n`);
  const first = spawnSync(process.execPath, [nasty, "tag"], {
    cwd: project,
    encoding: "utf8",
    input: "Time flies like an arrow.",
  });
  expectEqual("nasty tag after the install", "labels", first.stdout.trim(), labels);
  if (
    !existsSync(native) &&
    !first.stderr.includes("ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node")
  ) {
    throw new Error(`nasty tag after the install: note: expected what to install, got ${first.stderr}`);
  }

  const again = npmInstall({ ONNXRUNTIME_NODE_INSTALL: "skip" });
  if (!existsSync(native))
    throw new Error("npm install with the script skipped: expected onnxruntime-node, got none");
  process.stdout.write(`npm install again with ONNXRUNTIME_NODE_INSTALL=skip: ${again} s\n`);

  const engines = installEngines(join(work, "engines"));
  const workerd = installWorkerd(join(work, "engines"));
  const present = engines.filter(({ command }) => command !== undefined);
  for (const engine of present) {
    checkLight(engine);
    check(engine);
  }
  exportModule(module, project);
  const missing = [
    ...[...engines, workerd].filter((engine) => engine.missing !== undefined),
    // A loader of TypeScript computes on Node as ever.
    ...(await checkBits(
      { light, module },
      present.filter(({ package: name }) => name !== "tsx"),
      workerd,
    )),
  ];
  for (const { name, missing: why } of missing) process.stdout.write(`${name}: left out: ${why}\n`);
  if (missing.length > 0 && process.argv.includes("--all")) {
    throw new Error(`engines: expected all, got none of ${missing.map(({ name }) => name).join(", ")}`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
