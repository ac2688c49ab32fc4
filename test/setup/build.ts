import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

/**
 * Builds what changed since the last build (by content: a third of a second if nothing did), for the tests that start
 * the command, an example or a worker in a process of its own.
 *
 * @param root folder of the workspace
 * @throws Error with the compiler's messages, if the sources do not compile
 */
export function build(root: string): void {
  const { status, stdout, stderr } = spawnSync("npx turbo run build --output-logs=errors-only", {
    cwd: root,
    shell: true,
    encoding: "utf8",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
  if (status !== 0)
    throw new Error(`build: the sources do not compile, so no test was run\n${stdout}${stderr}`);
}

/** Before the first test, and while watching before each rerun. */
export function setup(project: TestProject): void {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  build(root);
  project.onTestsRerun(async () => build(root));
}
