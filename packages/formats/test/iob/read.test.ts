import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseColumns, readColumns, serializeColumns } from "../../src/iob/index.js";

const plain = (text: string, options = {}): string[] =>
  parseColumns(text, options).map(({ words, labels }) =>
    words.map((word, at) => `${word}/${labels[at]}`).join(" "),
  );

describe("parseColumns", () => {
  it("reads two columns with tabs", () => {
    expect(plain("Oslo\tB-LOC\nis\tO\n\nIbsen\tB-PER\n")).toEqual(["Oslo/B-LOC is/O", "Ibsen/B-PER"]);
  });

  it("takes lines of blanks for empty ones", () => {
    expect(plain("a\tO\n\t\nb\tO\n \nc\tO")).toEqual(["a/O", "b/O", "c/O"]);
  });

  it("reads CoNLL-2003, where -DOCSTART- is no sentence", () => {
    const text =
      "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\n# NN I-NP O\n\n1 CD B-NP O\n\n-DOCSTART- -X- O O\n\nx NN B-NP O\n";
    expect(plain(text)).toEqual(["EU/B-ORG #/O", "1/O", "x/O"]);
    expect(parseColumns(text).map(({ startsDocument = false, line }) => [startsDocument, line])).toEqual([
      [true, 3],
      [false, 6],
      [true, 10],
    ]);
  });

  it("takes a first sentence of numbers for words, where labels come last", () => {
    expect(plain("1 CD B-NP O\n2 CD I-NP O\n\n")).toEqual(["1/O 2/O"]);
    expect(plain("1\tO\n2\tO\n")).toEqual(["1/O 2/O"]);
  });

  it("reads numbered columns with headers, of three or five columns, without ranges and empty nodes", () => {
    const text = [
      "# sent_id = 1",
      "# text = in New York",
      "1\tin\tO\t-\t-",
      "2-3\tNewYork\tO\t-\t-",
      "2\tNew\tB-LOC\t-\tann",
      "3\tYork\tI-LOC\t-\tann",
      "3.1\tCity\tO\t-\t-",
      "",
      "# sent_id = 2",
      "1\t#\tO",
      "",
    ].join("\n");
    expect(plain(text)).toEqual(["in/O New/B-LOC York/I-LOC", "#/O"]);
    expect(parseColumns(text)[0]?.comments).toEqual(["# sent_id = 1", "# text = in New York"]);
    expect(parseColumns(text).map(({ line }) => line)).toEqual([3, 10]);
  });

  it("takes hashtags for words and headers for comments", () => {
    const text = "# id = 1\n# text = a\tb\n#MH17\tO\n#\tO\n#MH17\tB-X\n\n#\tO\n\n";
    expect(plain(text)).toEqual(["#MH17/O #/O #MH17/B-X", "#/O"]);
    expect(parseColumns(text)[0]?.comments).toEqual(["# id = 1", "# text = a\tb"]);
    expect(plain("# a comment\n#tag O\nx O\n\n# newdoc id = 3\n# O\n")).toEqual(["#tag/O x/O", "#/O"]);
  });

  it("keeps an empty word: its label counts like any other", () => {
    expect(plain("a\tO\n\tB-X\n \tO\n")).toEqual(["a/O /B-X  /O"]);
  });

  it("takes the columns it is told", () => {
    const text = "EU NNP B-NP B-ORG\n";
    expect(plain(text, { labelColumn: 2 })).toEqual(["EU/NNP"]);
    expect(plain(text, { wordColumn: 2, labelColumn: -2 })).toEqual(["NNP/B-NP"]);
  });

  it("reads CR LF and a byte order mark", () => {
    expect(plain("\uFEFFa\tO\r\n\r\nb\tB-X\r\n")).toEqual(["a/O", "b/B-X"]);
  });

  it.each([
    ["column-count", "a\tO\nb\n", "parseColumns: line 2: column count: expected 2, got 1"],
    ["column-count", "a NN O\n\nb O\n", "parseColumns: line 3: column count: expected 3, got 2"],
    ["column-count", "just\nwords\n", "parseColumns: line 1: column count: expected at least 2, got 1"],
    ["column-count", "1\ta\tO\n2\tb\n\n", "parseColumns: line 2: column count: expected 3, got 2"],
    ["label", "a\tO\nb\t\n", "parseColumns: line 2: column 2: expected a label, got nothing"],
    [
      "syntax",
      "1\ta\tO\n\nx\tb\tO\n",
      'parseColumns: line 3: first column: expected the number of a word, got "x"',
    ],
    ["encoding", "a\tO\nb\0\tO\n", "parseColumns: line 2: characters: expected text, got a NUL"],
  ])("refuses %s", (code, text, message) => {
    expect(() => parseColumns(text)).toThrow(expect.objectContaining({ code, message }));
  });
});

describe("readColumns", () => {
  it("gives the same sentences wherever the bytes are cut", async () => {
    const text = "# id = é\n1\tNaïve\tB-X\n2\tb\tO\n\n1\tc\tO\n";
    const bytes = new TextEncoder().encode(text);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), fc.nat(bytes.length), async (a, b) => {
        const [first, second] = a < b ? [a, b] : [b, a];
        const found = [];
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        for await (const sentence of readColumns(chunks)) found.push(sentence);
        expect(found).toEqual(parseColumns(text));
      }),
    );
  });
});

describe("serializeColumns", () => {
  it("is undone by parseColumns", () => {
    const text = "-DOCSTART-\tO\n\n# id = 1\n#a\tB-X\nb\tI-X\n\nc\tO\n\n";
    expect(serializeColumns(parseColumns(text))).toBe(text);
  });

  it("refuses what two columns cannot hold", () => {
    const sentence = { comments: [], words: ["a\tb"], labels: ["O"] };
    expect(() => serializeColumns([sentence])).toThrow(
      'serializeColumns: sentence 1: word 1: expected text without tab or newline, got "a\\tb"',
    );
    expect(() => serializeColumns([{ ...sentence, labels: [] }])).toThrow(
      "serializeColumns: sentence 1: labels: expected 1, got 0",
    );
  });
});
