import { readFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "./workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const packages = fileURLToPath(new URL("../../../packages/", import.meta.url));
const hooks = new URL("loaded-files.mjs", import.meta.url).href;

interface Loaded {
  /** Which packages of the project the files belong to. */
  readonly from: readonly string[];
  readonly files: number;
  readonly bytes: number;
  readonly code: string;
}

/** What a run of the command loads. */
async function loadedBy(log: string, args: readonly string[], input = ""): Promise<Loaded> {
  const env = { NASTY_TEST_LOG: shop.path(log), NODE_OPTIONS: `--import ${hooks}` };
  expect(await shop.nasty(args, { input, env })).toMatchObject({ code: 0 });
  const urls = (await readFile(shop.path(log), "utf8")).trim().split("\n");
  const codes = await Promise.all(urls.map((url) => readFile(fileURLToPath(url), "utf8")));
  const ours = urls.filter((url) => url.startsWith(pathToFileURL(packages).href));
  return {
    from: [
      ...new Set(ours.map((url) => fileURLToPath(url).slice(packages.length).split(/[\\/]/)[0]!)),
    ].sort(),
    files: urls.length,
    bytes: codes.reduce((sum, { length }) => sum + length, 0),
    code: codes.join("\n"),
  };
}

// Most of the time of a start is that of finding, reading and compiling code.
describe("a start loads what it runs", () => {
  test("help: the parser and what operations say of themselves", async () => {
    const { from, files, bytes } = await loadedBy("help.log", ["--help"]);
    expect(from).toEqual(["workflow"]);
    expect(files).toBeLessThanOrEqual(12);
    expect(bytes).toBeLessThan(150_000);
  });

  test("a sentence is tagged without tokenizers, patterns of layers, quantization and training", async () => {
    const { from, files, bytes, code } = await loadedBy("tag.log", ["tag"], "Time flies.\n");
    expect(from).toEqual([
      "core",
      "formats",
      "graph",
      "model-en",
      "model-en-float32",
      "runtime",
      "taggers",
      "workflow",
    ]);
    expect(files).toBeLessThanOrEqual(50);
    expect(bytes).toBeLessThan(1_000_000);
    expect(code).not.toContain("RE2JS");
    // What is forbidden here is what a model with a tokenizer loads.
    const withTokenizer = await loadedBy("transformer.log", ["tag", "--model", "pos"], "the cat\n");
    expect(withTokenizer.code).toContain("RE2JS");
  });
});
