import { describe, expect, it } from "vitest";
import { validateConllu } from "../../src/conllu/index.js";

const row = (id: string, upos: string, head: string, deprel: string): string =>
  `${id}\tx\tx\t${upos}\t_\t_\t${head}\t${deprel}\t_\t_\n`;

describe("validateConllu", () => {
  it("names line, column and both values", () => {
    const [problem] = validateConllu(`# c\n${row("1", "X", "0", " root")}\n`);
    expect(problem).toEqual({
      line: 2,
      column: 8,
      code: "leading-whitespace",
      message: 'validateConllu: line 2, column 8 (DEPREL): leading whitespace: expected none, got " root"',
    });
  });

  it("leaves the content of columns alone at level 1", () => {
    const text = `${row("1", "noun", "7", "ROOT")}\n`;
    expect(validateConllu(text).map(({ code }) => code)).toEqual(["upos", "head", "deprel"]);
    expect(validateConllu(text, { level: 1 })).toEqual([]);
  });

  it("goes on behind a problem, in the order of the lines", () => {
    const text = `${row("2", "X", "0", "root")}\n\n${row("1", "X", "0", "root")}${row("1", "X", "1", "dep")}\n`;
    expect(validateConllu(text, { level: 1 }).map(({ line, code }) => [line, code])).toEqual([
      [1, "word-order"],
      [3, "extra-empty-line"],
      [5, "word-order"],
    ]);
  });

  it("finds of bytes the line that is not UTF-8, and still checks the rest", () => {
    const text = new TextEncoder().encode(`# ok\n${row("2", "X", "0", "root")}\n`);
    text[3] = 0xff;
    expect(validateConllu(text).map(({ message }) => message)).toEqual([
      "validateConllu: line 1: encoding: expected UTF-8, got byte 0xff at byte 4 of the line",
      "validateConllu: line 2, column 1 (ID): word ID: expected 1, got 2",
    ]);
  });

  it("counts CR LF lines once", () => {
    const text = `# a\n${row("1", "X", "0", "root")}\n`.replaceAll("\n", "\r\n");
    expect(validateConllu(text).map(({ message }) => message)).toEqual([
      "validateConllu: line 1: end of the line: expected LF, got CR LF (3 such lines)",
    ]);
  });
});
