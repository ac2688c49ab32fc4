import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const source = new URL("../src/", import.meta.url);

/** Every file that a file of src/ imports, directly or not, with the packages they name. */
function reachable(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (url: URL): void => {
    if (files.has(url.href)) return;
    files.add(url.href);
    const text = readFileSync(url, "utf8");
    for (const [, name = ""] of text.matchAll(/(?:from|import)\s+"([^"]+)"/g)) {
      if (!name.startsWith(".")) packages.add(name);
      else visit(new URL(name.replace(/\.js$/, ".ts"), url));
    }
    if (/\b(Buffer|process)\./.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")))
      packages.add("node globals");
  };
  visit(new URL(entry, source));
  return { files, packages };
}

describe("subpaths that are not /node run in a browser", () => {
  const { exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    exports: Record<string, { default: string } | string>;
  };
  const entries = Object.values(exports).flatMap((target) =>
    typeof target === "string" ? [] : [target.default.replace("./dist/", "").replace(/\.js$/, ".ts")],
  );
  const pure = entries.filter((entry) => !entry.endsWith("/node.ts"));

  it("there are eight of them", () => expect(pure).toHaveLength(8));

  it.each(pure)("%s", (entry) => {
    const { files, packages } = reachable(entry);
    expect(files.size).toBeGreaterThan(1);
    for (const file of files) expect(existsSync(new URL(file))).toBe(true);
    expect([...packages].filter((name) => name.startsWith("node"))).toEqual([]);
  });

  it("the check sees what it looks for", () => {
    expect([...reachable("archive/node.ts").packages]).toContain("node:zlib");
  });
});
