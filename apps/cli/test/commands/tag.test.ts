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

test.concurrent("text: word/LABEL, a line a sentence; standard input with - or nothing", async () => {
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
