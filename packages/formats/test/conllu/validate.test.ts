import { describe, expect, it } from "vitest";
import { validateConllu } from "../../src/conllu/index.js";

const row = (id: string, upos: string, head: string, deprel: string): string =>
  `${id}\tx\tx\t${upos}\t_\t_\t${head}\t${deprel}\t_\t_\n`;

/** A row as a sentence of its own, with the comments that every sentence needs; its words stand from line 3 on. */
const sentence = (rows: string, text = "x"): string => `# sent_id = 1\n# text = ${text}\n${rows}\n`;

describe("validateConllu", () => {
  it("names line, column and both values", () => {
    const [problem] = validateConllu(`# c\n${row("1", "X", "0", " root")}\n`, { level: 1 });
    expect(problem).toEqual({
      line: 2,
      column: 8,
      code: "leading-whitespace",
      message: 'validateConllu: line 2, column 8 (DEPREL): leading whitespace: expected none, got " root"',
    });
  });

  it("leaves the content of columns alone at level 1", () => {
    const text = sentence(row("1", "noun", "7", "ROOT"));
    expect(validateConllu(text).map(({ code }) => code)).toEqual(["upos", "head", "deprel"]);
    expect(validateConllu(text, { level: 1 })).toEqual([]);
  });

  it("says of a head that is no whole number that it is no head, and does not look for a tree", () => {
    expect(validateConllu(sentence(row("1", "NOUN", "0.5", "dep"))).map(({ code }) => code)).toEqual([
      "head",
    ]);
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
    expect(validateConllu(text, { level: 1 }).map(({ message }) => message)).toEqual([
      "validateConllu: line 1: encoding: expected UTF-8, got byte 0xff at byte 4 of the line",
      "validateConllu: line 2, column 1 (ID): word ID: expected 1, got 2",
    ]);
  });

  it("counts CR LF lines once", () => {
    const text = sentence(row("1", "X", "0", "root")).replaceAll("\n", "\r\n");
    expect(validateConllu(text).map(({ message }) => message)).toEqual([
      "validateConllu: line 1: end of the line: expected LF, got CR LF (4 such lines)",
    ]);
  });

  it("takes for blank what Unicode does: U+0085 and the separators too, the byte order mark not", () => {
    const withForm = (form: string): string => `1\t${form}\tx\tX\t_\t_\t0\troot\t_\t_\n\n`;
    const codes = (text: string): string[] => validateConllu(text, { level: 1 }).map(({ code }) => code);
    for (const form of ["a\xA0b", "a\u3000b", "a\u2009b", "a\uFEFF", "\u200Ba", "a\u200D"]) {
      expect(codes(withForm(form))).toEqual([]);
    }
    for (const form of ["\x85a", "\x1Ca", "\xA0a", "\u2028a"]) {
      expect(codes(withForm(form))).toEqual(["leading-whitespace"]);
    }
    expect(codes(withForm("a\xA0\x1Fb"))).toEqual(["repeated-whitespace"]);
    expect(codes("\x85\n")).toEqual(["pseudo-empty-line", "extra-empty-line"]);
  });

  it("wants comments in normal form C too", () => {
    const text = `# text = e\u0301\n${row("1", "X", "0", "root")}\n`;
    expect(validateConllu(text, { level: 1 })).toEqual([
      {
        line: 1,
        code: "unicode-normalization",
        message:
          'validateConllu: line 1: characters: expected normal form C, "# text = \u00E9", got "# text = e\u0301", which differs from character 10 on',
      },
    ]);
  });

  it("names a carriage return that ends no line", () => {
    const text = `# a\r# b\n${row("1", "X", "0", "root")}\n`;
    expect(validateConllu(text, { level: 1 }).map(({ message }) => message)).toEqual([
      "validateConllu: line 1: end of the line: expected LF, got a lone CR inside the line",
    ]);
  });

  it("wants the values of a feature once each and in order, names that may begin with a digit", () => {
    const feats = (value: string): string[] =>
      validateConllu(sentence(`1\tx\tx\tX\t_\t${value}\t0\troot\t_\t_\n`)).map(({ message }) => message);
    expect(feats("1Case=Acc,Dat|Number[psor]=Plur")).toEqual([]);
    expect(feats("Case=Acc,Acc")).toEqual([
      'validateConllu: line 3, column 6 (FEATS): values of a feature: expected each value once, got "Case=Acc,Acc"',
    ]);
    expect(feats("Case=Dat,Acc")).toEqual([
      'validateConllu: line 3, column 6 (FEATS): order of values: expected the alphabet, got "Case=Dat,Acc"',
    ]);
  });

  it("looks at the tag of an empty node", () => {
    const text = sentence(`${row("1", "X", "0", "root")}${row("1.1", "verb", "_", "_")}`);
    expect(validateConllu(text).map(({ line, column, code }) => [line, column, code])).toEqual([
      [4, 4, "upos"],
    ]);
    expect(validateConllu(text.replace("verb", "_"))).toEqual([]);
  });
});
