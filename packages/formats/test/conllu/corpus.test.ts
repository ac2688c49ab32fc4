import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError, parseConllu, serializeConllu, validateConllu } from "../../src/conllu/index.js";

// Dropping NAME.conllu into valid/, or NAME.conllu with NAME.json into invalid/, adds a test. The .json holds the
// problems that the validator must find at a level (all of them, in order) and, under "parse", the error of the reader,
// or null where it is tolerant. A file of level 2 has nothing to be found at level 1; one of level 1 is no complete
// treebank, and level 2 says more of it.
const corpus = new URL("../corpus/conllu/", import.meta.url);
const filesOf = (folder: string): string[] =>
  readdirSync(new URL(folder, corpus)).filter((name) => name.endsWith(".conllu"));

interface Expected {
  level: 1 | 2;
  problems: { line: number; column?: number; code: string }[];
  parse: { code: string; message: string } | null;
}

describe("corpus of valid files", () => {
  const files = filesOf("valid/");
  it("is there", () => expect(files.length).toBeGreaterThanOrEqual(8));
  it.each(files)("%s is accepted and comes back byte for byte", (name) => {
    const bytes = readFileSync(new URL(`valid/${name}`, corpus));
    expect(validateConllu(bytes)).toEqual([]);
    expect(Buffer.from(serializeConllu(parseConllu(bytes.toString("utf8"))))).toEqual(bytes);
  });
});

describe("corpus of invalid files", () => {
  const files = filesOf("invalid/");
  it("is there", () => expect(files.length).toBeGreaterThanOrEqual(90));
  it.each(files)("%s is reported", (name) => {
    const bytes = readFileSync(new URL(`invalid/${name}`, corpus));
    const sibling = readFileSync(new URL(`invalid/${name.replace(/conllu$/, "json")}`, corpus), "utf8");
    const expected = JSON.parse(sibling) as Expected;
    expect(expected.problems.length).toBeGreaterThan(0);
    const { level } = expected;
    const problems = validateConllu(bytes, { level });
    expect(problems).toEqual(
      expected.problems.map((place) => ({ ...place, message: expect.any(String) as string })),
    );
    for (const { line, message } of problems) {
      expect(message).toMatch(new RegExp(`^validateConllu: line ${line}[:,].* expected .+, got .+`, "s"));
    }
    if (level === 2) expect(validateConllu(bytes, { level: 1 })).toEqual([]);
    else expect(validateConllu(bytes)).toEqual(expect.arrayContaining(problems));
    expect(errorOf(() => parseConllu(bytes.toString("utf8")))).toEqual(expected.parse);
  });
});

function errorOf(run: () => unknown): Expected["parse"] {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { code: error.code, message: error.message };
  }
}
