import { describe, expect, it } from "vitest";
import { columnOf, FormatError, parseConllu, serializeConllu, words } from "../../src/conllu/index.js";

const threeColumns = "# global.columns = ID FORM UPOS\n1\tI\tPRON\n2\trun\tVERB\n\n1\tStop\tVERB\n\n";
const withMore =
  "# global.columns = ID FORM UPOS HEAD MISC X:MWE X:SEM\n# sent_id = a\n" +
  "1-2\tdon't\t_\t_\t_\t*\tq\n1\tdo\tAUX\t2\t_\t*\tr\n2\tn't\tPART\t0\tA=B\t1:VPC\ts\n2.1\tgo\tVERB\t_\t_\t*\tt\n\n";

describe("CoNLL-U Plus", () => {
  it("reads the columns that the file has; the others are not given", () => {
    const [first, second] = parseConllu(threeColumns);
    expect(words(first!).map(({ id, form, upos, lemma, head }) => [id, form, upos, lemma, head])).toEqual([
      [1, "I", "PRON", "_", undefined],
      [2, "run", "VERB", "_", undefined],
    ]);
    expect(second).toMatchObject({ columns: ["ID", "FORM", "UPOS"], line: 5 });
  });

  it("keeps the columns that CoNLL-U does not know, for ranges and empty nodes too", () => {
    const [sentence] = parseConllu(withMore);
    expect(sentence!.rows.map((row) => columnOf(sentence!, row, "X:MWE"))).toEqual(["*", "*", "1:VPC", "*"]);
    expect(sentence!.rows.map((row) => columnOf(sentence!, row, "X:SEM"))).toEqual(["q", "r", "s", "t"]);
    expect(sentence!.rows.map((row) => columnOf(sentence!, row, "HEAD"))).toEqual(["_", "2", "0", "_"]);
    expect(columnOf(sentence!, sentence!.rows[0]!, "LEMMA")).toBeUndefined();
  });

  it("counts the words where the file has no IDs", () => {
    const text = "# global.columns = UPOS FORM\nPRON\tI\nVERB\trun\n\n";
    expect(words(parseConllu(text)[0]!).map(({ id, form, upos }) => [id, form, upos])).toEqual([
      [1, "I", "PRON"],
      [2, "run", "VERB"],
    ]);
    expect(serializeConllu(parseConllu(text))).toBe(text);
  });

  it.each([threeColumns, withMore, "# global.columns = ID FORM\n\n# sent_id = 1\n1\ta\n\n"])(
    "is written back in its own columns",
    (text) => expect(serializeConllu(parseConllu(text))).toBe(text),
  );

  it("takes a declaration of the ten columns for CoNLL-U", () => {
    const text = `# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC\n1\ta${"\t_".repeat(8)}\n\n`;
    expect(parseConllu(text)[0]).not.toHaveProperty("columns");
    expect(serializeConllu(parseConllu(text))).toBe(text);
  });

  it.each([
    [
      "# global.columns = ID UPOS\n",
      "syntax",
      "line 1: global.columns: expected FORM among the names, got ID UPOS",
    ],
    [
      "# global.columns = ID FORM ID\n",
      "syntax",
      "line 1: global.columns: expected each name once, got ID twice",
    ],
    [
      "# global.columns = ID FORM\n1\ta\tb\n",
      "column-count",
      "line 2: column count: expected 2 (global.columns), got 3",
    ],
    [
      "# global.columns = FORM HEAD\na\tb\n",
      "invalid-value",
      'line 2, column 2: HEAD: expected a number or _, got "b"',
    ],
  ])("refuses %j", (text, code, message) => {
    expect(() => parseConllu(text)).toThrow(
      expect.objectContaining({ code, message: `parseConllu: ${message}` }) as FormatError,
    );
  });
});

const sentence = `1\ta${"\t_".repeat(8)}\n\n`;

describe("comment blocks without words", () => {
  it.each([
    ["at the end", `${sentence}# end\n# of file\n\n`],
    ["two at the end", `${sentence}# one\n\n# two\n\n`],
    ["at the start", `# licence\n\n# sent_id = 1\n${sentence}`],
    ["between sentences", `${sentence}# part two\n\n${sentence}`],
  ])("%s: kept, and no sentence", (_, text) => {
    expect(parseConllu(text).every(({ rows }) => rows.length === 1)).toBe(true);
    expect(serializeConllu(parseConllu(text))).toBe(text);
  });

  it("the lines of sentences stay right", () => {
    expect(
      parseConllu(`# licence\n\n# sent_id = 1\n${sentence}# x\n\n${sentence}`).map(({ line }) => line),
    ).toEqual([3, 8]);
  });
});
