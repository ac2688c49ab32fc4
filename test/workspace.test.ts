import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const folders = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => `${group}/${name}`),
);
const published = folders.filter((folder) => read(`${folder}/package.json`).private !== true);
const libraries = published.filter((folder) => folder.startsWith("packages/"));

/** Internal dependencies of a manifest, as folder names (`@nasty/core` → `core`). */
function internal(folder: string): string[] {
  return Object.keys(read(`${folder}/package.json`).dependencies ?? {})
    .filter((name) => name.startsWith("@nasty/"))
    .map((name) => name.slice("@nasty/".length));
}

const sourceOf = (compiled: string): string =>
  compiled.replace("./dist/", "src/").replace(/\.(c?)js$/, ".$1ts");

/** Weights and sample text have licences of their own. */
const licences: Readonly<Record<string, string>> = {
  "packages/model-da": "MIT AND CC-BY-SA-4.0",
  "packages/model-en": "MIT AND CC-BY-SA-4.0 AND CC0-1.0",
  "packages/model-en-float32": "MIT AND CC-BY-SA-4.0",
};

/** A package of files, whose code is their addresses alone. */
const isData = (folder: string): boolean => folder in licences;

describe("every package is made the same way", () => {
  it.each(published)("%s: package.json", (folder) => {
    const manifest = read(`${folder}/package.json`);
    expect(manifest.name).toBe(`@nasty/${folder.split("/")[1]}`);
    expect(manifest.license).toBe(licences[folder] ?? "MIT");
    expect(manifest).toMatchObject({
      type: "module",
      sideEffects: false,
      engines: { node: ">=20.19" },
      publishConfig: { access: "public" },
      repository: { directory: folder },
      scripts: {
        build: expect.stringMatching(isData(folder) ? /^tsc -b$/ : /^tsc -b && node .*bundle\.mjs/),
      },
    });
    expect(manifest.description.length).toBeGreaterThan(20);
    expect(manifest.exports["./package.json"]).toBe("./package.json");
    expect(existsSync(join(root, folder, "README.md"))).toBe(true);
  });

  it.each(libraries)("%s: exports point at compiled files with types first", (folder) => {
    const { exports, files } = read(`${folder}/package.json`);
    expect(files).toEqual(expect.arrayContaining(["dist", "!dist/**/*.map"]));
    expect(files).not.toContain("src");
    for (const [entry, target] of Object.entries<Record<string, string> | string>(exports)) {
      if (typeof target === "string") continue;
      const { browser } = target;
      const conditions = [
        "types",
        ...(browser === undefined ? [] : ["browser"]),
        ...(isData(folder) ? [] : ["node"]),
        "default",
      ];
      expect(Object.keys(target), entry).toEqual(conditions);
      if (browser !== undefined)
        expect(existsSync(join(root, folder, sourceOf(browser))), browser).toBe(true);
      expect(target.types).toBe(target.default!.replace(/\.js$/, ".d.ts"));
      const source = sourceOf(target.default!);
      expect(existsSync(join(root, folder, source)), `${folder}/${source}`).toBe(true);
    }
  });

  it.each(published)("%s: tsconfig.json references exactly the internal dependencies", (folder) => {
    const config = read(`${folder}/tsconfig.json`);
    expect(config.extends).toBe("../../tsconfig.base.json");
    expect(config.compilerOptions).toEqual({
      rootDir: "src",
      outDir: "dist",
      tsBuildInfoFile: "dist/.tsbuildinfo",
    });
    const references = (config.references ?? []).map((reference: { path: string }) =>
      reference.path.split("/").at(-1),
    );
    expect(references.sort()).toEqual(internal(folder).sort());
  });

  // An app that is not published has rules of its own but for its layer: it is built for a browser, with the types of
  // one.
  it.each(folders)("%s: the layer tag is the package's own name", (folder) => {
    expect(read(`${folder}/turbo.json`).tags).toEqual([folder.split("/")[1]]);
  });
});

describe("layers", () => {
  const tags = read("turbo.json").boundaries.tags as Record<string, { dependencies: { allow: string[] } }>;

  it("every package has a rule", () => {
    expect(Object.keys(tags).sort()).toEqual(folders.map((folder) => folder.split("/")[1]!).sort());
  });

  it.each(folders)("%s depends only on layers below it", (folder) => {
    const { allow } = tags[folder.split("/")[1]!]!.dependencies;
    expect(internal(folder).filter((name) => !allow.includes(name))).toEqual([]);
  });

  it("no package reaches itself through its dependencies", () => {
    const reach = (name: string, seen: Set<string>): Set<string> => {
      for (const next of tags[name]!.dependencies.allow) if (!seen.has(next)) reach(next, seen.add(next));
      return seen;
    };
    for (const name of Object.keys(tags)) expect(reach(name, new Set()).has(name), name).toBe(false);
  });
});
