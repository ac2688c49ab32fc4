import { describe, expect, it } from "vitest";
import { readConllu } from "../src/conllu/index.js";
import { readColumns } from "../src/iob/index.js";

/** A source without end, and how much of it was asked for. */
function endless(line: string): { chunks: () => Generator<string>; given: () => number } {
  let count = 0;
  const block = line.repeat(100);
  return {
    *chunks() {
      for (; count < 100_000; count++) yield block;
    },
    given: () => count * block.length,
  };
}

async function drain(sentences: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of sentences);
}

const row = `1\tword${"\t_".repeat(8)}\n`;

describe("sentences without end", () => {
  it.each([
    ["CoNLL-U rows", row, readConllu],
    ["CoNLL-U comments", "# note\n", readConllu],
    ["CoNLL-U comment blocks", "# note\n\n", readConllu],
    ["columns", "word\tO\n", readColumns],
    ["comments of columns", "# id = 1\n", readColumns],
  ])("%s: refused at the limit of lines", async (_, line, read) => {
    const { chunks, given } = endless(line);
    await expect(drain(read(chunks(), { name: "x", maxSentenceLines: 1000 }))).rejects.toMatchObject({
      code: "sentence-length",
      message: expect.stringMatching(
        /x: line \d+: sentence: expected at most 1000 lines before an empty line, got more/,
      ) as string,
    });
    expect(given()).toBeLessThan(1300 * line.length);
  });

  it.each([
    ["CoNLL-U", `1\t${"w".repeat(1000)}${"\t_".repeat(8)}\n`, readConllu],
    ["columns", `${"w".repeat(1000)}\tO\n`, readColumns],
  ])("%s of long lines: refused at the limit of characters", async (_, line, read) => {
    const { chunks, given } = endless(line);
    await expect(drain(read(chunks(), { maxSentenceLength: 1e5 }))).rejects.toMatchObject({
      code: "sentence-length",
    });
    expect(given()).toBeLessThan(3e5);
  });

  it("the limits of their own hold: 2^17 lines", async () => {
    const { chunks, given } = endless(row);
    await expect(drain(readConllu(chunks()))).rejects.toMatchObject({
      code: "sentence-length",
      fields: { line: 2 ** 17 + 1 },
    });
    expect(given()).toBeLessThan(4e6);
  });

  it("many sentences are none: each is counted anew", async () => {
    let sentences = 0;
    const source = Array.from({ length: 50 }, () => `${row.repeat(8)}\n`);
    for await (const _ of readConllu(source, { maxSentenceLines: 9 })) sentences++;
    for await (const _ of readColumns(Array<string>(50).fill("a\tO\nb\tO\n\n"), { maxSentenceLines: 2 }))
      sentences++;
    expect(sentences).toBe(100);
  });
});
