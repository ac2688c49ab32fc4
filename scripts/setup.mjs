// Sets a fresh checkout up with nothing but Node and npm: the pinned pnpm through npx, then a full build.
import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const quiet = process.argv.includes("--quiet");
const { packageManager } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** Runs a shell command at the root; with --quiet its output appears only when it fails. */
function run(command) {
  try {
    execSync(command, {
      cwd: root,
      stdio: quiet ? "pipe" : "inherit",
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
    });
  } catch (error) {
    if (quiet) process.stderr.write(`${error.stdout ?? ""}${error.stderr ?? ""}`);
    process.stderr.write(`setup: ${command}: failed\n`);
    process.exit(1);
  }
}

const pnpm = `npx --yes ${packageManager}`;
if (quiet) process.stderr.write("setup: installing and building (the first time takes a minute)\n");
run(`${pnpm} install --frozen-lockfile`);
run("npx turbo run build");
