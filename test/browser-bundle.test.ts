import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What a page gets that imports this text: the files that are in it, what it still imports, and its size after gzip. */
async function bundled(source: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: `${root}/apps/cli` },
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
    imports: output?.imports.map(({ path }) => path) ?? [],
    bytes: gzipSync(outputFiles[0]?.contents ?? "").length,
  };
}

describe("what a page carries of @nasty/taggers", () => {
  test.each([
    "@nasty/taggers",
    "@nasty/taggers/encoders",
    "@nasty/taggers/neural",
    "@nasty/taggers/transformer",
  ])("%s needs nothing of Node, no runtime and nothing that trains", async (entry) => {
    const { files, imports, bytes } = await bundled(`export * from "${entry}";`);
    expect(imports).toEqual([]);
    expect(files.filter((file) => file.startsWith("packages/taggers/dist/")).length).toBeGreaterThan(5);
    expect(files.filter((file) => /^packages\/(training|tagger-training|runtime)\//.test(file))).toEqual([]);
    expect(bytes).toBeLessThan(140_000);
  });

  test("the main entry builds no graphs and reads no checkpoints", async () => {
    const { files } = await bundled('export * from "@nasty/taggers";');
    expect(
      files.filter((file) => /build-encoder|read-checkpoint|graph-writer|\/node\.js$/.test(file)),
    ).toEqual([]);
  });

  test("the entry for Node is seen for what it is", async () => {
    const { imports } = await bundled('export * from "@nasty/taggers/node";');
    expect(imports).toContain("node:fs/promises");
  });
});
