// Packs every package as it would be published, checks the tarballs (publint, attw), installs them together into
// an empty project and runs each file of examples/ there, so that what is tested is what a user installs.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const work = mkdtempSync(join(tmpdir(), "nasty-packed-"));
const tarballs = join(work, "tarballs");
const project = join(work, "project");
mkdirSync(tarballs);
mkdirSync(project);

function run(command, args, cwd, quiet = false) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0 || !quiet) process.stdout.write(`${stdout}${stderr}`);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit code: expected 0, got ${status}`);
  return stdout;
}
const pnpm = (args, cwd) => run("npx", ["--yes", packageManager, ...args], cwd, true);

try {
  const packages = ["packages", "apps"]
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter(({ manifest }) => !manifest.private);

  const overrides = {};
  for (const { folder, manifest } of packages) {
    pnpm(["pack", "--pack-destination", tarballs], folder);
    const file = join(
      tarballs,
      `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`,
    );
    overrides[manifest.name] = `file:${file}`;
    run("npx", ["publint", "--strict", file], root, true);
    // A command without importable entry points has no types to check.
    const entries = Object.keys(manifest.exports ?? {}).filter((entry) => entry !== "./package.json");
    if (entries.length > 0)
      run("npx", ["attw", "--profile", "esm-only", "--format", "ascii", file], root, true);
    process.stdout.write(
      `packed ${manifest.name}@${manifest.version}: publint${entries.length > 0 ? ", attw" : ""} ok\n`,
    );
  }

  writeFileSync(
    join(project, "package.json"),
    `${JSON.stringify({ name: "empty", private: true, type: "module", dependencies: overrides }, null, 2)}\n`,
  );
  const quoted = Object.entries(overrides).map(([name, target]) => `  "${name}": "${target}"`);
  writeFileSync(
    join(project, "pnpm-workspace.yaml"),
    `packages: []\noverrides:\n${quoted.join("\n")}\nallowBuilds:\n  onnxruntime-node: false\n  protobufjs: false\n`,
  );
  pnpm(["install", "--prefer-offline"], project);

  cpSync(join(root, "examples"), join(project, "examples"), { recursive: true });
  const examples = readdirSync(join(project, "examples")).filter((name) => name.endsWith(".mjs"));
  if (examples.length === 0) throw new Error("examples/: files: expected at least one .mjs, got none");
  for (const example of examples) {
    run(process.execPath, [join("examples", basename(example))], project, true);
    process.stdout.write(`example ${example}: ok\n`);
  }
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
