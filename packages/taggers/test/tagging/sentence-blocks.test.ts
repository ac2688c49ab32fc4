import { expect, test } from "vitest";
import type { Sentences } from "../../src/index.js";
import { limitsOf, sentenceBlocks } from "../../src/tagging/sentence-blocks.js";

const defaults = { batchSize: 8, batchTokens: 64, lookAhead: 4 };

async function blocksOf(sentences: unknown, signal?: AbortSignal): Promise<(readonly string[])[][]> {
  const blocks: (readonly string[])[][] = [];
  for await (const block of sentenceBlocks(sentences as Sentences, limitsOf({ signal }, defaults)))
    blocks.push(block);
  return blocks;
}

test("a block ends at the look-ahead, or where it holds many words", async () => {
  const short = Array.from({ length: 10 }, () => ["a"]);
  expect((await blocksOf(short)).map(({ length }) => length)).toEqual([4, 4, 2]);
  const long = Array.from({ length: 10 }, () => Array<string>(10_000).fill("a"));
  expect((await blocksOf(long)).map(({ length }) => length)).toEqual([2, 2, 2, 2, 2]);
});

test("a long word is cut to 1,000 units, not inside of a character", async () => {
  const sentence = ["short", "7".repeat(5000), `${"7".repeat(999)}😀x`];
  const [[words = []] = []] = await blocksOf([sentence]);
  expect(words.map(({ length }) => length)).toEqual([5, 1000, 999]);
  expect(sentence.map(({ length }) => length)).toEqual([5, 5000, 1002]);
});

test.each([
  [[[1, 2]], "tag: sentence 0: word 0: expected a string, got 1 (number)"],
  [[["a"], ["b", undefined]], "tag: sentence 1: word 1: expected a string, got undefined"],
  [[["a", {}]], "tag: sentence 0: word 1: expected a string, got a value of type object"],
  [["Time flies"], 'tag: sentence 0: expected a list of words, got the text "Time flies"'],
  [[null], "tag: sentence 0: expected a list of words, got null"],
  ["Time flies", 'tag: sentences: expected lists of words, got the text "Time flies"'],
  [7, "tag: sentences: expected lists of words, got 7 (number)"],
  [undefined, "tag: sentences: expected lists of words, got undefined"],
  [{}, "tag: sentences: expected lists of words, got a value of type object"],
])("%j is refused", async (sentences, message) => {
  await expect(blocksOf(sentences)).rejects.toMatchObject({ name: "TaggerError", code: "words", message });
});

test("a signal ends the reading with its reason", async () => {
  const controller = new AbortController();
  let read = 0;
  const endless = (function* () {
    for (;;) {
      if (++read === 10) controller.abort(new Error("enough"));
      yield ["a"];
    }
  })();
  await expect(blocksOf(endless, controller.signal)).rejects.toThrow("enough");
  expect(read).toBe(10);
});

test.each(["batchSize", "batchTokens", "lookAhead"])("%s of 0 is refused", (name) => {
  expect(() => limitsOf({ [name]: 0 }, defaults)).toThrow(
    new RangeError(`tag: ${name}: expected an integer of at least 1, got 0`),
  );
});
