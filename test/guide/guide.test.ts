import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeBlocks } from "./code-blocks.js";
import { openReader, type Reader } from "./reader.js";

const guide = readFileSync(fileURLToPath(new URL("../../docs/guide.md", import.meta.url)), "utf8");
const blocks = codeBlocks(guide);

let reader: Reader;
beforeAll(async () => {
  reader = await openReader();
}, 120_000);
afterAll(() => reader?.remove());

// One after the other in one folder: later blocks use the files of earlier ones.
describe.sequential("docs/guide.md", () => {
  it.each(blocks.map((block) => [block.line, block.section, block] as const))(
    "line %i (%s) does what it says",
    (_line, _section, block) => reader.follow(block),
    120_000,
  );

  it("has blocks of TypeScript whose types are right", () => {
    const typed = blocks.filter(({ language }) => language === "ts");
    expect(typed.length).toBeGreaterThan(15);
    reader.check(typed);
  });

  it.each(["README.md", "packages/workflow/README.md"])("%s has blocks whose types are right", (path) => {
    const page = codeBlocks(readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8"));
    const typed = page.filter(({ language }) => language === "ts");
    expect(typed.length).toBeGreaterThan(0);
    reader.check(typed);
  });

  it("has blocks, and links to files that are there", () => {
    expect(blocks.length).toBeGreaterThan(25);
    const links = [...guide.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, path]) => path as string);
    for (const path of links)
      expect(existsSync(fileURLToPath(new URL(path, new URL("../../docs/", import.meta.url)))), path).toBe(
        true,
      );
  });
});
