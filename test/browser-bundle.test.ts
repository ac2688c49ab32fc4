import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What a page gets that imports this text: the files that are in it, what it still imports, and its size after gzip.
 */
async function bundled(source: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: `${root}/packages/workflow` },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    external: ["node:*", "onnxruntime-*"],
    logLevel: "silent",
  });
  const [output] = Object.values(metafile.outputs);
  return {
    files: Object.entries(output?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [file] : [],
    ),
    text: outputFiles[0]?.text ?? "",
    imports: output?.imports.map(({ path }) => path) ?? [],
    bytes: gzipSync(outputFiles[0]?.contents ?? "").length,
  };
}

/** What a page loads at once, and what it puts aside until it is needed, where the bundler splits. */
async function split(source: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: `${root}/packages/workflow` },
    absWorkingDir: root,
    outdir: "split",
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    external: ["node:*", "onnxruntime-*"],
    logLevel: "silent",
  });
  const texts = new Map(outputFiles.map(({ path, contents }) => [relative(root, path), contents]));
  const atOnce = Object.keys(metafile.outputs).filter(
    (name) => metafile.outputs[name]?.entryPoint === "<stdin>",
  );
  for (const name of atOnce) {
    const needed = (metafile.outputs[name]?.imports ?? []).filter(({ kind }) => kind === "import-statement");
    atOnce.push(
      ...needed.map(({ path }) => path).filter((path) => texts.has(path) && !atOnce.includes(path)),
    );
  }
  const aside = Object.keys(metafile.outputs).filter((name) => !atOnce.includes(name));
  const carried = (names: readonly string[]) => ({
    files: names.flatMap((name) => Object.keys(metafile.outputs[name]?.inputs ?? {})),
    bytes: names.reduce((sum, name) => sum + gzipSync(texts.get(name) ?? "").length, 0),
  });
  return { atOnce: carried(atOnce), aside: aside.map((name) => carried([name])) };
}

describe("what a page carries of @nasty/taggers", () => {
  test.each([
    "@nasty/taggers",
    "@nasty/taggers/encoders",
    "@nasty/taggers/neural",
    "@nasty/taggers/texts",
    "@nasty/taggers/transformer",
  ])("%s needs nothing of Node, no runtime and nothing that trains", async (entry) => {
    const { files, imports, bytes } = await bundled(`export * from "${entry}";`);
    expect(imports).toEqual([]);
    expect(files.filter((file) => file.startsWith("packages/taggers/dist/")).length).toBeGreaterThan(5);
    expect(files.filter((file) => /^packages\/(training|tagger-training|runtime)\//.test(file))).toEqual([]);
    // Tokenizers are imported where they are needed: a bundler that puts all in one file wraps them for that.
    expect(bytes).toBeLessThan(146_000);
  });

  test("the main entry builds no graphs and reads no checkpoints", async () => {
    const { files } = await bundled('export * from "@nasty/taggers";');
    expect(
      files.filter((file) => /build-encoder|read-checkpoint|graph-writer|\/node\.js$/.test(file)),
    ).toEqual([]);
  });

  test("@nasty/taggers/web opens models, and decodes brotli only where it must", async () => {
    const { files, imports, bytes } = await bundled('export { openTagger } from "@nasty/taggers/web";');
    expect(imports.filter((name) => name.startsWith("node:"))).toEqual([]);
    expect(files).toContain("packages/taggers/dist/web/open-tagger.js");
    expect(files.filter((file) => /build-encoder|read-checkpoint|\/node\.js$/.test(file))).toEqual([]);
    // With the decoder and the portable engine, which a bundler that splits puts aside.
    expect(bytes).toBeLessThan(260_000);
  });

  test("a bundler that splits puts brotli aside, and what is loaded at once is small", async () => {
    const { atOnce, aside } = await split('export { openTagger } from "@nasty/taggers/web";');
    const isBrotli = (file: string) => file.includes("/archive/brotli/");
    expect(atOnce.files).toContain("packages/taggers/dist/web/open-tagger.js");
    expect(atOnce.files.filter(isBrotli)).toEqual([]);
    expect(atOnce.bytes).toBeLessThan(150_000);
    const [decoder, ...others] = aside.filter(({ files }) => files.some(isBrotli));
    expect(others).toEqual([]);
    expect(decoder?.files).toContain("packages/formats/dist/archive/brotli/gen/words.js");
    expect(decoder?.bytes).toBeLessThan(70_000);
  });
});

describe("what a page carries of the packages that compress", () => {
  test.each(["@nasty/compression", "@nasty/calibration", "@nasty/training"])(
    "%s opens its sessions on the page's runtime and needs nothing of Node",
    async (entry) => {
      const { files, imports } = await bundled(`export * from "${entry}";`);
      expect(imports.filter((name) => name.startsWith("node:"))).toEqual([]);
      expect(files).toContain("packages/runtime/dist/browser.js");
    },
  );

  test("@nasty/runtime has the same names on a page as in Node", async () => {
    const here = Object.keys(await import("../packages/runtime/src/index.js")).sort();
    const page = Object.keys(await import("../packages/runtime/src/browser.js")).sort();
    // A page says which runtime it carries; in Node that is found.
    expect(page).toEqual([...here, "provideRuntime"].sort());
  });
});

describe("what needs Node says so on a page, in one sentence", () => {
  const nodeOnly = readdirSync(`${root}/packages`).flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(`${root}/packages/${folder}/package.json`, "utf8"));
    return Object.entries<{ browser?: string }>(exports).flatMap(([entry, { browser }]) =>
      browser?.endsWith("only-in-node.cjs") === true ? [name + entry.slice(1)] : [],
    );
  });

  test("the entries are marked", () =>
    expect(nodeOnly).toEqual(expect.arrayContaining(["@nasty/taggers/node", "@nasty/formats/onnx/node"])));

  test.each(nodeOnly)("%s", async (entry) => {
    const { text, imports } = await bundled(`import { anything } from "${entry}"; anything();`);
    expect(imports).toEqual([]);
    await expect(import(`data:text/javascript,${encodeURIComponent(text)}`)).rejects.toThrow(
      /^@nasty\/[^:]+: platform: expected Node, got a browser; /,
    );
  });
});
