import { parseConllu, words } from "@nasty/formats/conllu";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorkshop, startBinary, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const text = "The cat sat on a big house. Ada Lovelace ran in Paris.\n\nshe slept.\n";
const tag = (...args: string[]) => shop.nasty(["tag", "--model", "pos", ...args], { input: text });

test.concurrent("text: word/LABEL, one sentence on each line; standard input with - or nothing", async () => {
  const expected =
    "The/DET cat/NOUN sat/VERB on/ADP a/DET big/ADJ house/NOUN ./PUNCT\n" +
    "Ada/PROPN Lovelace/PROPN ran/VERB in/ADP Paris/PROPN ./PUNCT\nshe/PRON slept/VERB ./PUNCT\n";
  expect(await tag()).toEqual({ code: 0, stdout: expected, stderr: "" });
  expect((await tag("-")).stdout).toBe(expected);
  await shop.write("text.txt", text);
  expect((await tag("text.txt")).stdout).toBe(expected);
});

test.concurrent("--format json and --json: one document with offsets into the whole text", async () => {
  const { stdout } = await tag("--format", "json");
  expect((await tag("--json")).stdout).toBe(stdout);
  const sentences = JSON.parse(stdout);
  expect(sentences).toHaveLength(3);
  for (const { start, end, words: tagged } of sentences) {
    expect(text.slice(start, end).length).toBeGreaterThan(0);
    for (const word of tagged) expect(text.slice(word.start, word.end)).toBe(word.form);
  }
});

test.concurrent("--format conllu: a valid file with the labels in UPOS, entities in MISC", async () => {
  const [first] = parseConllu((await tag("--format", "conllu")).stdout);
  expect(
    words(first!)
      .map(({ form, upos }) => `${form}/${upos}`)
      .slice(0, 3),
  ).toEqual(["The/DET", "cat/NOUN", "sat/VERB"]);
  const ner = await shop.nasty(["tag", "--model", "ner", "--format", "conllu"], { input: text });
  expect(ner.stdout).toMatch(/^5\tParis\t.*NER=B-LOC/m);
});

test.concurrent("a text without words: nothing, or an empty list, and a remark", async () => {
  const empty = (...args: string[]) => shop.nasty(["tag", "--model", "pos", ...args], { input: " \n" });
  expect(await empty()).toEqual({ code: 0, stdout: "", stderr: "the text has no words\n" });
  expect(JSON.parse((await empty("--json", "--quiet")).stdout)).toEqual([]);
  expect((await empty("--quiet")).stderr).toBe("");
});

test.concurrent("a reader that stops early is no error", async () => {
  const child = startBinary(shop.folder, ["tag", "--model", "pos"]);
  child.stdin.on("error", () => undefined);
  child.stdout.destroy();
  child.stdin.end(text.repeat(2000));
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

const lines = "Paris is nice\nI like London\nHello world\n";

test.concurrent("--one-per-line: each line is a sentence; without it a hint where lines have no stop", async () => {
  const byLine = await shop.nasty(["tag", "--model", "pos", "--one-per-line"], { input: lines });
  expect(byLine.stdout.split("\n").map((line) => line.split(" ").length)).toEqual([3, 3, 2, 1]);
  expect(byLine.stderr).toBe("");
  const joined = await shop.nasty(["tag", "--model", "pos"], { input: lines });
  expect(joined.stdout.split("\n")).toHaveLength(2);
  expect(joined.stderr).toBe(
    "most lines of standard input end without a stop and were read on into the next; if each line is a sentence, give --one-per-line\n",
  );
  const stopped = await shop.nasty(["tag", "--model", "pos"], { input: lines.replaceAll("\n", ".\n") });
  expect(stopped.stderr).toBe("");
  const apart = await shop.nasty(["tag", "--model", "pos"], { input: lines.replaceAll("\n", "\n\n") });
  expect(apart.stderr).toBe("");
});

test.concurrent("no form is white space, no word is a format character, and an address is one word", async () => {
  const odd =
    "Hello\u0085wor\u00ADld. Tab\there\u2028and\u2029then \u001C sep \u001D. zero\u200Bwidth \uFEFFbom \u200E. Look at http://a.org/b.asp?ID=9 now.";
  const { stdout } = await shop.nasty(["tag", "--model", "pos", "--format", "json"], { input: odd });
  const sentences = JSON.parse(stdout) as { words: { form: string; start: number; end: number }[] }[];
  const forms = sentences.map(({ words: found }) => found.map(({ form }) => form));
  expect(forms).toEqual([
    ["Hello", "wor\u00ADld", "."],
    ["Tab", "here", "and"],
    ["then", "sep", ".", "zero\u200Bwidth", "bom", "."],
    ["Look", "at", "http://a.org/b.asp?ID=9", "now", "."],
  ]);
  for (const { form, start, end } of sentences.flatMap(({ words: found }) => found))
    expect(odd.slice(start, end)).toBe(form);
});

test.concurrent.each([
  ["JSON on one line", JSON.stringify(Array.from({ length: 1500 }, (_, id) => ({ id, name: `n${id}` })))],
  ["words without a stop", "the cat ".repeat(20_000)],
  ["brackets", "(".repeat(70_000)],
  ["dashes", "-".repeat(150_000)],
  ["digits", "7".repeat(150_000)],
])(
  "long text of %s: every character comes back once, in sentences and words of bounded length",
  async (_name, long) => {
    const { code, stdout } = await shop.nasty(["tag", "--model", "pos", "--format", "json"], { input: long });
    expect(code).toBe(0);
    let at = 0;
    for (const { start, end, words: found } of JSON.parse(stdout)) {
      expect(end - start).toBeLessThanOrEqual(65_536);
      for (const word of found) {
        if (long.slice(at, word.start).trim() !== "" || word.end - word.start > 1000) expect(word).toBe(at);
        at = word.end;
      }
    }
    expect(long.slice(at).trim()).toBe("");
  },
);
