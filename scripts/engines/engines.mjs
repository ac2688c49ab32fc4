// The JavaScript engines that the npm registry has as packages, each installed into a folder of its own.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const node = (major) => ({
  name: `Node ${major}`,
  package: "node",
  range: `${major}`,
  bin: "node",
  before: [],
  program: "first-tag.mjs",
});

/** What is run: `bin` of an npm package, with arguments `before` the program's path; Node 20 knows no TypeScript. */
const wanted = [
  node(20),
  node(22),
  node(24),
  { name: "Bun", package: "bun", range: "1", bin: "bun", before: [], program: "first-tag.ts" },
  {
    name: "Deno",
    package: "deno",
    range: "2",
    bin: "deno",
    before: ["run", "--allow-all"],
    program: "first-tag.ts",
  },
  { name: "tsx", package: "tsx", range: "4", bin: "tsx", before: [], program: "first-tag.ts" },
];

const workers = { name: "workerd", package: "workerd", range: "1", bin: "workerd", before: [] };

/**
 * Installs an engine.
 *
 * @returns its command, the arguments before a program and its version; or why it cannot be had
 */
function install(engine, folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"private": true}\n');
  const target = `${engine.package}@${engine.range}`;
  const installed = spawnSync("npm", ["install", "--no-audit", "--no-fund", target], {
    cwd: folder,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  const command = join(folder, "node_modules", ".bin", engine.bin);
  if (installed.status !== 0 || !existsSync(command)) {
    return { ...engine, missing: `npm install ${target}: ${installed.stderr.trim().split("\n")[0]}` };
  }
  const { status, stdout, stderr } = spawnSync(command, ["--version"], { encoding: "utf8" });
  if (status !== 0) return { ...engine, missing: `${target} --version: ${(stderr ?? "").trim()}` };
  return { ...engine, command, version: /\d+([.-])\d+\1\d+/.exec(stdout)?.[0] ?? "unknown" };
}

const installBelow = (folder) => (engine) =>
  install(engine, join(folder, engine.name.toLowerCase().replace(" ", "-")));

/**
 * Every engine that runs programs of files, installed below a folder; those that cannot be had have `missing` instead
 * of `command`.
 */
export const installEngines = (folder) => wanted.map(installBelow(folder));

/** What runs workers without files, or why it cannot be had. */
export const installWorkerd = (folder) => installBelow(folder)(workers);
