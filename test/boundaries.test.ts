import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A workspace with this one's manifests and rules, and one source file a package that imports nothing. */
function workspaceCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), "nasty-boundaries-"));
  for (const file of ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", "turbo.json"]) {
    cpSync(join(root, file), join(copy, file));
  }
  for (const group of ["packages", "apps"]) {
    for (const name of readdirSync(join(root, group))) {
      const folder = join(copy, group, name);
      mkdirSync(join(folder, "src"), { recursive: true });
      for (const file of ["package.json", "turbo.json"]) {
        cpSync(join(root, group, name, file), join(folder, file));
      }
      writeFileSync(join(folder, "src/index.ts"), "export {};\n");
    }
  }
  spawnSync("git", ["init", "-q"], { cwd: copy });
  return copy;
}

function boundaries(cwd: string) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1" };
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules/.bin/turbo"), ["boundaries"], {
    cwd,
    env,
    encoding: "utf8",
  });
  return { status, output: `${stdout}${stderr}` };
}

describe("turbo boundaries", () => {
  let copy: string;
  beforeAll(() => {
    copy = workspaceCopy();
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it("accepts the workspace as it is", () => {
    expect(boundaries(copy)).toMatchObject({ status: 0 });
  });

  it("refuses an import that points up the layers", () => {
    const file = join(copy, "packages/core/src/index.ts");
    writeFileSync(file, 'import { openSession } from "@nasty/runtime";\nexport { openSession };\n');
    const { status, output } = boundaries(copy);
    writeFileSync(file, "export {};\n");
    expect(status).not.toBe(0);
    expect(output).toContain("@nasty/runtime");
  });

  it("refuses a file of another package reached by path", () => {
    const file = join(copy, "packages/formats/src/index.ts");
    writeFileSync(file, 'export * from "../../core/src/index.js";\n');
    const { status } = boundaries(copy);
    writeFileSync(file, "export {};\n");
    expect(status).not.toBe(0);
  });
});
