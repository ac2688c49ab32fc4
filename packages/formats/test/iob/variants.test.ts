import { describe, expect, it } from "vitest";
import { parseColumns } from "../../src/iob/index.js";

const rowsOf = (text: string): string[][] =>
  parseColumns(text).map(({ words, labels }) => words.map((word, at) => `${word}|${labels[at]}`));

describe("columns of other corpora", () => {
  it("numbered from 0: WikiNEuRal and MultiNERD", () => {
    expect(rowsOf("0\tIn\tO\n1\tOslo\tB-LOC\n2\t.\tO\n\n0\tNo\tO\n\n")).toEqual([
      ["In|O", "Oslo|B-LOC", ".|O"],
      ["No|O"],
    ]);
  });

  it("numbered with two label columns: GermEval", () => {
    const text =
      "#\thttp://de.example/a [2009-10-17]\n1\tDie\tO\tO\n2\tARD\tB-ORG\tB-ORGpart\n3\tsendet\tO\tO\n";
    expect(rowsOf(text)).toEqual([["Die|O", "ARD|B-ORG", "sendet|O"]]);
  });

  it("a number as the word of a short row of four columns stays a word", () => {
    expect(rowsOf("1 CD B-NP O\n\n")).toEqual([["1|O"]]);
    expect(rowsOf("1 CD B-NP O\n2 CD I-NP O\n\n")).toEqual([["1|O", "2|O"]]);
  });

  it("Windows line ends, several blanks between columns, no empty line at the end", () => {
    expect(
      rowsOf("-DOCSTART- -X- O O\r\n\r\nOslo   NNP  I-NP  I-LOC\r\n. . O O\r\n\r\nHi UH I-NP O"),
    ).toEqual([["Oslo|I-LOC", ".|O"], ["Hi|O"]]);
  });

  it("a no-break space is a word", () => {
    expect(rowsOf("\u00A0 O\nOslo B-LOC\n")).toEqual([["\u00A0|O", "Oslo|B-LOC"]]);
  });
});
