// Packs every package as it would be published, checks the tarballs (publint, attw, what they hold and say), installs
// them together into an empty project and runs each file of examples/ there, so that what is tested is what a user
// installs; builds pages with bundlers.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { checkBundles } from "./packed/bundles.mjs";
import { checkPackage } from "./packed/manifests.mjs";
import { packAll, pnpm, root, run, writeProject } from "./packed/pack.mjs";
import { checkTypeScript } from "./packed/typescript.mjs";

const work = mkdtempSync(join(tmpdir(), "nasty-packed-"));
const project = join(work, "project");
const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const tools = Object.fromEntries(
  ["@types/node", "esbuild", "tsx", "typescript", "vite"].map((name) => [name, devDependencies[name]]),
);

try {
  const packed = packAll(join(work, "tarballs"));
  for (const one of packed) {
    checkPackage(one);
    const { manifest, file } = one;
    run("npx", ["publint", "--strict", file], { cwd: root });
    // A command without importable entry points has no types to check, and files of data have none.
    const data = Object.keys(manifest.exports ?? {}).filter(
      (entry) => entry.includes("*") || entry.endsWith(".wasm"),
    );
    const entries = Object.keys(manifest.exports ?? {}).filter(
      (entry) => entry !== "./package.json" && !data.includes(entry),
    );
    if (entries.length > 0) {
      const excluded = data.length === 0 ? [] : ["--exclude-entrypoints", ...data];
      run("npx", ["attw", file, "--profile", "esm-only", "--format", "ascii", ...excluded], { cwd: root });
    }
    process.stdout.write(
      `packed ${manifest.name}@${manifest.version}: manifest, files, publint${entries.length > 0 ? ", attw" : ""} ok\n`,
    );
  }

  const overrides = writeProject(project, packed, tools);
  const quoted = Object.entries(overrides).map(([name, target]) => `  "${name}": "${target}"`);
  writeFileSync(
    join(project, "pnpm-workspace.yaml"),
    `packages: []\noverrides:\n${quoted.join("\n")}\nallowBuilds:\n  onnxruntime-node: false\n  protobufjs: false\n  esbuild: false\n  msgpackr-extract: false\n`,
  );
  pnpm(["install", "--prefer-offline"], project);

  cpSync(join(root, "examples"), join(project, "examples"), { recursive: true });
  const examples = readdirSync(join(project, "examples")).filter((name) => name.endsWith(".mjs"));
  if (examples.length === 0) throw new Error("examples/: files: expected at least one .mjs, got none");
  for (const example of examples) {
    run(process.execPath, [join("examples", basename(example))], { cwd: project });
    process.stdout.write(`example ${example}: ok\n`);
  }
  // Loaders that compile modules themselves see a CommonJS package's exports in another place than Node does.
  const underNode = run(process.execPath, ["examples/tag-text.mjs"], { cwd: project }).stdout;
  cpSync(join(project, "examples", "tag-text.mjs"), join(project, "tag-text.ts"));
  const underTsx = run("npx", ["--no-install", "tsx", "tag-text.ts"], { cwd: project }).stdout;
  if (underTsx !== underNode || underNode === "") {
    throw new Error(`tsx tag-text.ts: output: expected ${underNode}, got ${underTsx}`);
  }
  process.stdout.write("example tag-text as TypeScript under tsx: the same output\n");
  checkTypeScript(project);
  checkBundles(project);

  const version = execFileSync(join(project, "node_modules", ".bin", "nasty"), ["--version"], {
    encoding: "utf8",
  }).trim();
  process.stdout.write(`packed command: nasty ${version}\n`);

  // TensorFlow.js is optional: without it everything above works, and who asks for it is told what to install.
  const text = join(project, "node_modules", "@nasty", "model-en", "sample", "sample-en.conllu");
  const asked = ["train", "--task", "pos", "--architecture", "cnn", "--engine", "tensorflow"];
  const { status, stderr } = spawnSync(
    join(project, "node_modules", ".bin", "nasty"),
    [...asked, "--train", text, "--validation", text, "--output", join(project, "never.onnx")],
    { encoding: "utf8" },
  );
  if (status !== 3 || !stderr.includes("npm install @tensorflow/tfjs-core"))
    throw new Error(
      `nasty train --engine tensorflow: expected advice and exit code 3, got ${status}: ${stderr}`,
    );
  process.stdout.write("without TensorFlow.js: says what to install\n");
} finally {
  rmSync(work, { recursive: true, force: true });
}
