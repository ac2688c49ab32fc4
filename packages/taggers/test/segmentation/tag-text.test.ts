import { parseConllu, serializeConllu, validateConllu } from "@nasty/formats/conllu";
import { describe, expect, test } from "vitest";
import { taggedConllu, tagText, type TaggedSentence, type Tagger, type Task } from "../../src/index.js";

/** Labels a word by its first letter. */
const byLetter = (task: Task, labels: Readonly<Record<string, string>>): Tagger => ({
  kind: "neural",
  task,
  labels: Object.values(labels),
  async *tag(sentences) {
    for await (const words of sentences)
      yield words.map((word) => labels[word[0] as string] ?? (task === "ner" ? "O" : "X"));
  },
  async *feedsOf() {},
  close: async () => {},
});

const text = "Dogs don't\n bark (much). Ann, too.";

async function tagged(tagger: Tagger): Promise<TaggedSentence[]> {
  const all: TaggedSentence[] = [];
  for await (const sentence of tagText(tagger, text)) all.push(sentence);
  return all;
}

describe("tagText", () => {
  test("words, labels, offsets, multiword tokens", async () => {
    const [first, second] = await tagged(byLetter("pos", { D: "NOUN", d: "AUX", n: "PART", b: "VERB" }));
    expect(first?.words.slice(0, 4)).toEqual([
      { form: "Dogs", label: "NOUN", start: 0, end: 4 },
      { form: "do", label: "AUX", start: 5, end: 7 },
      { form: "n't", label: "PART", start: 7, end: 10 },
      { form: "bark", label: "VERB", start: 12, end: 16 },
    ]);
    expect(first?.multiwordTokens).toEqual([{ form: "don't", start: 5, end: 10, firstWord: 1, wordsEnd: 3 }]);
    for (const word of second?.words ?? []) expect(text.slice(word.start, word.end)).toBe(word.form);
    expect(second?.start).toBe(25);
  });

  test("the text is cut by the tagger's language, unless another is asked for", async () => {
    const danish = { ...byLetter("pos", { D: "DET" }), language: "da" };
    const cut = async (tagger: Tagger, options?: { language: string }): Promise<string[]> => {
      const found: string[] = [];
      for await (const { words } of tagText(tagger, "Den 3. maj bl.a.", options))
        found.push(words.map(({ form }) => form).join(" "));
      return found;
    };
    expect(await cut(danish)).toEqual(["Den 3. maj bl.a."]);
    expect(await cut(danish, { language: "en" })).toEqual(["Den 3 . maj bl . a ."]);
    expect(await cut(byLetter("pos", { D: "DET" }))).toEqual(["Den 3 . maj bl . a ."]);
  });

  test("CoNLL-U output is valid (level 1: no tree is claimed) and says where spaces are", async () => {
    const sentences = (await tagged(byLetter("pos", { D: "NOUN", d: "AUX", n: "PART", b: "VERB" }))).map(
      (sentence, i) => taggedConllu(sentence, { id: String(i + 1), task: "pos" }),
    );
    const output = serializeConllu(sentences);
    expect(output.split("\n").slice(0, 10)).toEqual([
      "# sent_id = 1",
      "# text = Dogs don't bark (much).",
      "1\tDogs\t_\tNOUN\t_\t_\t_\t_\t_\t_",
      "2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_",
      "2\tdo\t_\tAUX\t_\t_\t_\t_\t_\t_",
      "3\tn't\t_\tPART\t_\t_\t_\t_\t_\t_",
      "4\tbark\t_\tVERB\t_\t_\t_\t_\t_\t_",
      "5\t(\t_\tX\t_\t_\t_\t_\t_\tSpaceAfter=No",
      "6\tmuch\t_\tX\t_\t_\t_\t_\t_\tSpaceAfter=No",
      "7\t)\t_\tX\t_\t_\t_\t_\t_\tSpaceAfter=No",
    ]);
    expect(parseConllu(output).map(({ rows }) => rows.length)).toEqual([9, 4]);
    expect(validateConllu(output, { level: 1 })).toEqual([]);
  });

  test("entity labels stand in MISC", async () => {
    const [, second] = await tagged(byLetter("ner", { A: "B-PER" }));
    const output = serializeConllu([taggedConllu(second as TaggedSentence, { id: "2", task: "ner" })]);
    expect(output).toContain("1\tAnn\t_\t_\t_\t_\t_\t_\t_\tNER=B-PER|SpaceAfter=No\n");
    expect(output).toContain("3\ttoo\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\n");
  });
});
