import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiPage, writeApiReference } from "../src/api-reference.js";
import { publicPackages } from "../src/packages.js";

let root: string;
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "nasty-api-"));
  const exports = { ".": { default: "./dist/index.js" }, "./sub": { default: "./dist/sub/index.js" } };
  write("apps/site/package.json", '{"name": "@nasty/site", "private": true}');
  write("packages/a/package.json", JSON.stringify({ name: "@nasty/a", exports }));
  write("packages/b/package.json", JSON.stringify({ name: "@nasty/b", exports: { ".": exports["."] } }));
  write("tsconfig.base.json", '{"compilerOptions": {"module": "nodenext", "strict": true, "types": []}}');
  write("packages/a/src/index.ts", "/** A thing. */\nexport interface Thing { size: number }\n");
  write("packages/a/src/sub/index.ts", "/** A part. */\nexport const part = 1;\n");
  write(
    "packages/b/src/index.ts",
    `import type { Thing } from "@nasty/a";
/** Makes it; see {@link make.plan}. */
export function make(): Thing { return { size: 1 }; }
/** Says what it makes. */
make.plan = (count: number): Thing => ({ size: count });
`,
  );
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const generate = async (): Promise<(entry: string) => string> => {
  await writeApiReference(root, publicPackages(root), root);
  return (entry) => readFileSync(join(root, apiPage(entry)), "utf8");
};

it("has a page for each entry point, with links between packages", async () => {
  const page = await generate();
  expect(page("@nasty/a")).toMatch(/^# @nasty\/a\n[^]*A thing\./);
  expect(page("@nasty/a/sub")).toContain("A part.");
  expect(page("@nasty/b")).toContain("[`Thing`](a.md#thing)");
});

it("documents functions of functions", async () => {
  const text = (await generate())("@nasty/b");
  expect(text).toMatch(/### make\.plan\(\)[^]*Says what it makes\./);
  const anchor = /\[make\.plan\]\(#([^)]+)\)/.exec(text)?.[1];
  expect(text).toContain(`<a id="${anchor}"></a>`);
});

it("refuses sources that do not compile", async () => {
  write("packages/a/src/sub/index.ts", "export const part: string = 1;\n");
  await expect(generate()).rejects.toThrow("docs: API reference: sources: expected to compile, got errors");
});
