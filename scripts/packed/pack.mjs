// The packages as they would be published, for checks of what a user installs.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Runs a command that must succeed; its output is shown if it does not, or unless `quiet`. */
export function run(command, args, { cwd, quiet = true, env = {} }) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0 || !quiet) process.stdout.write(`${stdout ?? ""}${stderr ?? ""}`);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit code: expected 0, got ${status}`);
  return { stdout, stderr };
}

/** Runs the pnpm that the repository pins. */
export const pnpm = (args, cwd) => run("npx", ["--yes", packageManager, ...args], { cwd });

/** Packs every public package into a folder: its manifest, its folder here and its tarball. */
export function packAll(tarballs) {
  mkdirSync(tarballs, { recursive: true });
  return ["packages", "apps"]
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter(({ manifest }) => !manifest.private)
    .map(({ folder, manifest }) => {
      pnpm(["pack", "--pack-destination", tarballs], folder);
      const name = `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`;
      return { folder, manifest, file: join(tarballs, name) };
    });
}

/** Writes the manifest of an empty project that depends on the tarballs and on what else is named. */
export function writeProject(project, packed, more = {}) {
  mkdirSync(project, { recursive: true });
  const own = Object.fromEntries(packed.map(({ manifest, file }) => [manifest.name, `file:${file}`]));
  writeFileSync(
    join(project, "package.json"),
    `${JSON.stringify({ name: "empty", private: true, type: "module", dependencies: { ...own, ...more } }, null, 2)}\n`,
  );
  return own;
}
