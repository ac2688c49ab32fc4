import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

it("docs/options.md is what the schemas of the operations make", () => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/options-page.mjs", "--check"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const page = readFileSync(`${root}/docs/options.md`, "utf8");
  expect(page).toContain("| `gate.maxLoss` | `--target-accuracy-loss <loss>` | `target-accuracy-loss` |");
});
