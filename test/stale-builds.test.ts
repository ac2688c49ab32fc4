import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "./setup/build.js";
import { aliasesOf } from "./setup/sources.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => `${group}/${name}`),
);
const packages = folders.filter((folder) => folder.startsWith("packages/"));

describe("no test runs against an old build", () => {
  const entries = packages.flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    return Object.entries<{ default: string } | string>(exports).flatMap(([entry, target]) => {
      if (typeof target === "string") return [];
      const source = target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts");
      const path = join(root, folder, source);
      return existsSync(path) ? [[name + entry.slice(1), path]] : [];
    });
  });

  it.each(entries)("%s is its source in this process", async (entry, source) => {
    expect(await import(entry!)).toBe(await import(source!));
  });

  it("an entry is matched whole, and written out before one with a star", () => {
    const target = (name: string) => ({ default: `./dist/${name}.js` });
    const aliases = aliasesOf(
      {
        name: "@nasty/x",
        exports: {
          "./*": target("*"),
          ".": target("index"),
          "./a": target("a/index"),
          "./package.json": "./package.json",
        },
      },
      "/x",
    );
    const sourceOf = (name: string) => {
      const alias = aliases.find(({ find }) => find.test(name));
      return alias && name.replace(alias.find, alias.replacement);
    };
    expect(["@nasty/x", "@nasty/x/a", "@nasty/x/a/b"].map(sourceOf)).toEqual([
      "/x/src/index.ts",
      "/x/src/a/index.ts",
      "/x/src/a/b.ts",
    ]);
    expect(["@nasty/xy", "y/@nasty/x", "@nasty/y/a"].map(sourceOf)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("what other processes load was built of the sources that lie there", () => {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [compiler, "-b", "--dry", ...folders], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stdout).not.toMatch(/would build/);
    expect(stdout).toMatch(/up to date|update timestamps/);
  });
});

describe("build", () => {
  let copy: string;
  const source = (text: string): void => writeFileSync(join(copy, "packages/one/src/index.ts"), text);
  const output = (): string => readFileSync(join(copy, "packages/one/dist/index.js"), "utf8");

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "nasty-build-"));
    for (const file of ["pnpm-workspace.yaml", "tsconfig.base.json", "turbo.json"]) {
      cpSync(join(root, file), join(copy, file));
    }
    // Nothing is installed for it: it borrows what is.
    appendFileSync(join(copy, "pnpm-workspace.yaml"), "verifyDepsBeforeRun: false\n");
    mkdirSync(join(copy, "node_modules"));
    for (const name of [".bin", "@types", "pnpm", "turbo", "typescript"]) {
      symlinkSync(join(root, "node_modules", name), join(copy, "node_modules", name));
    }
    const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    writeFileSync(join(copy, "package.json"), JSON.stringify({ name: "copy", packageManager }));
    writeFileSync(join(copy, "pnpm-lock.yaml"), "lockfileVersion: '9.0'\n");
    mkdirSync(join(copy, "packages/one/src"), { recursive: true });
    cpSync(join(root, "packages/core/tsconfig.json"), join(copy, "packages/one/tsconfig.json"));
    const manifest = { name: "one", type: "module", scripts: { build: "tsc -b" } };
    writeFileSync(join(copy, "packages/one/package.json"), JSON.stringify(manifest));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it("compiles what changed, and mends what something else wrote or deleted", () => {
    source("export const value: number = 1;\n");
    build(copy);
    expect(output()).toContain("value = 1");
    source("export const value: number = 2;\n");
    build(copy);
    expect(output()).toContain("value = 2");
    writeFileSync(join(copy, "packages/one/dist/index.js"), "export const value = 3;\n");
    build(copy);
    expect(output()).toContain("value = 2");
    rmSync(join(copy, "packages/one/dist/index.js"));
    build(copy);
    expect(output()).toContain("value = 2");
  });

  it("follows the shared compiler options", () => {
    source("/* said */ export const value: number = 4;\n");
    build(copy);
    expect(output()).toContain("said");
    const path = join(copy, "tsconfig.base.json");
    writeFileSync(
      path,
      readFileSync(path, "utf8").replace('"strict": true', '"strict": true, "removeComments": true'),
    );
    build(copy);
    expect(output()).not.toContain("said");
  });

  it("shows what does not compile", () => {
    source('export const value: number = "4";\n');
    expect(() => build(copy)).toThrow(/the sources do not compile[^]*src\/index\.ts[^]*TS2322/);
  });
});
