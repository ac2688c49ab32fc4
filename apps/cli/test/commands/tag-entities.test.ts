import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const text = "The cat sat. Ada  Lovelace ran in Paris.\n\nshe slept.\n";
const entities = async (args: readonly string[], input = text) => {
  const { code, stdout, stderr } = await shop.nasty(["tag", "--format", "entities", ...args], { input });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

test.concurrent("one list of spans with type, score and offsets into the whole text, with --json too", async () => {
  const list = await entities(["--model", "ner"]);
  expect(list).toMatchObject([
    {
      type: "PER",
      text: "Ada  Lovelace",
      start: 13,
      end: 26,
      words: [{ form: "Ada" }, { form: "Lovelace" }],
    },
    { type: "LOC", text: "Paris", start: 34, end: 39, words: [{ label: "B-LOC", start: 34, end: 39 }] },
  ]);
  for (const { score, words, ...rest } of list) {
    expect(Object.keys(rest)).toEqual(["type", "text", "start", "end"]);
    const mean = words.reduce((sum: number, word: { score: number }) => sum + word.score, 0) / words.length;
    expect(score).toBeGreaterThan(0.2);
    expect(score).toBeLessThanOrEqual(1);
    expect(score).toBeCloseTo(mean, 5);
  }
  expect(await entities(["--model", "ner", "--json"])).toEqual(list);
  expect(await entities(["--model", "ner", "--aggregation", "max"])).toHaveLength(2);
  expect(await entities(["--model", "ner", "--aggregation", "none"])).toHaveLength(3);
});

test.concurrent("offsets are those of the whole text, however it is cut into pieces", async () => {
  const long = `${"she slept.\n\n".repeat(8000)}Ada Lovelace ran.\n`;
  const [person] = await entities(["--model", "ner"], long);
  expect(long.slice(person.start, person.end)).toBe("Ada Lovelace");
});

test.concurrent("words that are given have lines instead of offsets", async () => {
  for (const [file, input] of [
    ["test.iob2", "columns"],
    ["test.conllu", "conllu"],
  ] as const) {
    const list = await entities(["--model", "ner", file]);
    const lines = (await shop.bytes(file)).toString().split("\n");
    expect(list.length).toBeGreaterThan(1);
    for (const { type, text: own, words, ...rest } of list) {
      expect(rest).toEqual({ input, score: expect.any(Number) });
      expect(type).toMatch(/^(?:PER|LOC|ORG)$/);
      expect(own).toBe(words.map(({ form }: { form: string }) => form).join(" "));
      for (const { form, line } of words) expect(lines[line - 1]?.split(/[\t ]/)).toContain(form);
    }
  }
});

test.concurrent("without a model the embedded one of entities is taken; a text without any gives an empty list", async () => {
  const input = "Barack Obama visited Berlin.";
  expect(await entities([], input)).toMatchObject([
    { type: "PER", text: "Barack Obama" },
    { type: "LOC", text: "Berlin" },
  ]);
  expect(await entities([], "she slept.")).toEqual([]);
  expect(await entities(["--quiet"], " \n")).toEqual([]);
});

test("what does not go together is refused", async () => {
  const refused = (code: number, ...args: string[]) => shop.refused(code, ["tag", "test.conllu", ...args]);
  expect(await refused(2, "--model", "ner", "--aggregation", "max")).toContain(
    "--aggregation: expected --format entities beside it, got no format",
  );
  expect(await refused(2, "--format", "entities", "--task", "pos")).toContain("which has no entities");
  expect(await refused(2, "--format", "entities", "--aggregation", "last")).toContain(
    "none, simple, first, average, max",
  );
  expect(await refused(3, "--format", "entities", "--model", "pos")).toContain(
    "labels: expected those of entities, such as B-PER, I-PER and O",
  );
});
