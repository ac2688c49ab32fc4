import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRanges } from "../../src/shards/byte-ranges.js";
import { findInputs } from "../../src/shards/find-inputs.js";

let folder: string;
const path = (...parts: string[]): string => join(folder, ...parts);
const content = Buffer.from(Array.from({ length: 700_000 }, (_, at) => at % 251));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-shards-test-"));
  await mkdir(path("news", "old"), { recursive: true });
  await mkdir(path("news", "out"));
  for (const name of [
    "news/b.txt",
    "news/a.txt",
    "news/old/c.txt",
    "news/.hidden",
    "news/out/x.txt",
    "d.md",
  ]) {
    await writeFile(path(name), "x");
  }
  await symlink(path("news"), path("news", "loop"));
  await writeFile(path("plain"), content);
  await writeFile(path("packed.gz"), gzipSync(content));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const namesOf = async (...given: string[]): Promise<string[]> =>
  (
    await findInputs(
      given.map((one) => path(one)),
      path("news", "out"),
    )
  ).map(({ name }) => name);

describe("findInputs", () => {
  it("takes files, folders and globs in their order, each once, without hidden files and the output", async () => {
    expect(await namesOf("news")).toEqual(["a.txt", "b.txt", "old/c.txt"]);
    expect(await namesOf("d.md", "news")).toEqual(["d.md", "news/a.txt", "news/b.txt", "news/old/c.txt"]);
    expect(await namesOf("news/*.txt")).toEqual(["a.txt", "b.txt"]);
    expect(await namesOf("news/**/*.txt")).toEqual(["a.txt", "b.txt", "old/c.txt"]);
    expect(await namesOf("news/b.txt", "news/*.txt")).toEqual(["b.txt", "a.txt"]);
    expect(await namesOf("n*s/{a,b}.txt")).toEqual(["a.txt", "b.txt"]);
  });

  it("refuses what is not there, what is empty, and standard input", async () => {
    await expect(namesOf("nothing")).rejects.toThrow(
      "expected a file, a folder or a glob, got nothing there",
    );
    await expect(namesOf("news/*.md")).rejects.toThrow("expected files that match, got none");
    await expect(namesOf("news/out")).rejects.toThrow("expected files in it, got none");
    await expect(findInputs(["-"], "out")).rejects.toThrow("got standard input, which cannot be read again");
    await expect(findInputs([], "out")).rejects.toThrow("expected files, folders or globs");
  });
});

describe("openRanges", () => {
  it.each(["plain", "packed.gz"])(
    "reads ranges of %s forwards, across gaps, and back again",
    async (name) => {
      const ranges = openRanges(path(name));
      expect(await ranges.isPlain()).toBe(name === "plain");
      const all = [
        [0, 10],
        [10, 300_000],
        [400_000, 400_001],
        [600_000, 700_000],
        [5, 20],
        [20, 20],
      ] as const;
      for (const [start, end] of all) {
        expect(Buffer.from(await ranges.read(start, end)).equals(content.subarray(start, end))).toBe(true);
      }
      await expect(ranges.read(699_999, 700_001)).rejects.toThrow("expected at least 700001 bytes");
      await ranges.close();
    },
  );
});
