import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  commentValue,
  depsOf,
  featsOf,
  FormatError,
  idOf,
  lineOf,
  miscOf,
  parseConllu,
  readConllu,
  type Sentence,
  serializeConllu,
  words,
} from "../../src/conllu/index.js";

const sample = [
  "# sent_id = s1",
  "# text = Vámonos al mar",
  "1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_",
  "1\tVamos\tir\tVERB\t_\tMood=Imp|Number=Plur\t0\troot\t0:root\t_",
  "2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t1:obj|2.1:nsubj\tSpaceAfter=No|Flag",
  "2.1\t_\t_\t_\t_\t_\t_\t_\t1:dep\t_",
  "",
  "1\tSí\tsí\tINTJ\t_\t_\t_\t_\t_\t_",
  "",
  "",
].join("\n");

async function collect(chunks: Iterable<string | Uint8Array>, options = {}): Promise<Sentence[]> {
  const found: Sentence[] = [];
  for await (const sentence of readConllu(chunks, options)) found.push(sentence);
  return found;
}

describe("parseConllu", () => {
  it("tells words, multiword tokens and empty nodes apart", () => {
    const [first, second] = parseConllu(sample) as [Sentence, Sentence];
    expect(first.rows.map(idOf)).toEqual(["1-2", "1", "2", "2.1"]);
    expect(first.rows.map(({ kind }) => kind)).toEqual(["multiword", "word", "word", "empty"]);
    expect(words(first).map(({ id, form, upos, head }) => [id, form, upos, head])).toEqual([
      [1, "Vamos", "VERB", 0],
      [2, "nos", "PRON", 1],
    ]);
    expect(second.rows).toEqual([
      {
        kind: "word",
        id: 1,
        form: "Sí",
        lemma: "sí",
        upos: "INTJ",
        xpos: "_",
        feats: "_",
        head: undefined,
        deprel: "_",
        deps: "_",
        misc: "_",
      },
    ]);
  });

  it("takes FEATS, DEPS, MISC and comments apart on demand", () => {
    const [sentence] = parseConllu(sample) as [Sentence];
    const [first, second] = words(sentence);
    expect([...featsOf(first!)]).toEqual([
      ["Mood", "Imp"],
      ["Number", "Plur"],
    ]);
    expect([...featsOf(second!)]).toEqual([]);
    expect([...miscOf(second!)]).toEqual([
      ["SpaceAfter", "No"],
      ["Flag", ""],
    ]);
    expect(depsOf(second!)).toEqual([
      { head: "1", deprel: "obj" },
      { head: "2.1", deprel: "nsubj" },
    ]);
    expect(commentValue(sentence, "sent_id")).toBe("s1");
    expect(commentValue(sentence, "sent")).toBeUndefined();
  });

  it("knows the line of every row", () => {
    const [first, second] = parseConllu(sample) as [Sentence, Sentence];
    expect([first.line, second.line]).toEqual([1, 8]);
    expect(lineOf(first, 1)).toBe(4);
    expect(lineOf({ comments: [], rows: [] }, 0)).toBeUndefined();
  });

  it("reads CR LF, a byte order mark, extra empty lines and a missing last one as the same sentences", () => {
    const plain = parseConllu(sample).map(({ comments, rows }) => ({ comments, rows }));
    const variants = [
      sample.replaceAll("\n", "\r\n"),
      `\uFEFF${sample}`,
      `\n\n${sample.replaceAll("\n\n", "\n\n \n\n")}`,
      sample.trimEnd(),
    ];
    for (const text of variants) {
      expect(parseConllu(text).map(({ comments, rows }) => ({ comments, rows }))).toEqual(plain);
    }
  });

  it("of an empty text makes no sentence", () => {
    expect(parseConllu("")).toEqual([]);
    expect(parseConllu("\n\n")).toEqual([]);
  });

  it("names the input where it has a name", () => {
    expect(() => parseConllu("1\tx\n", { name: "a.conllu" })).toThrow(
      "parseConllu: a.conllu: line 1: column count: expected 10, got 2",
    );
  });
});

describe("readConllu", () => {
  it("gives the same sentences wherever text or bytes are cut", async () => {
    const bytes = new TextEncoder().encode(`\uFEFF${sample}`);
    const expected = parseConllu(sample);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length)), fc.boolean(), async (cuts, asText) => {
        const whole = asText ? `\uFEFF${sample}` : bytes;
        const places = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
        const chunks = places.slice(1).map((end, index) => whole.slice(places[index], end));
        expect(await collect(chunks)).toEqual(expected);
      }),
    );
  });

  it("gives a sentence before it asks for what follows", async () => {
    let asked = 0;
    const source = function* (): Generator<string> {
      for (; asked < 1000; asked++) yield sample;
    };
    for await (const sentence of readConllu(source())) {
      expect(sentence.rows).toHaveLength(4);
      break;
    }
    expect(asked).toBeLessThan(2);
  });

  it("does not keep a chunk that its producer uses again", async () => {
    const buffer = new Uint8Array(7);
    const bytes = new TextEncoder().encode(sample);
    const source = function* (): Generator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += buffer.length) {
        const part = bytes.subarray(at, at + buffer.length);
        buffer.fill(0).set(part);
        yield buffer.subarray(0, part.length);
      }
    };
    expect(await collect(source())).toEqual(parseConllu(sample));
  });

  it.each([
    ["a stray continuation byte", [0x80], "0x80 at byte 3"],
    ["Latin-1", [0xe9, 0x20], "0xe9 at byte 3"],
    ["an overlong form", [0xc0, 0xaf], "0xc0 at byte 3"],
    ["a surrogate", [0xed, 0xa0, 0x80], "0xed at byte 3"],
    ["a cut character", [0xf0, 0x9d], "0xf0 at byte 3"],
  ])("refuses %s, naming line and byte", async (_, bad, place) => {
    const head = new TextEncoder().encode(`${sample}# `);
    const bytes = Uint8Array.from([...head, ...bad, 10]);
    await expect(collect([bytes.subarray(0, 20), bytes.subarray(20)], { name: "x" })).rejects.toMatchObject({
      code: "encoding",
      message: `readConllu: x: line 10: encoding: expected UTF-8, got byte ${place} of the line`,
    });
  });

  it("refuses a line that is too long without holding all of it", async () => {
    let given = 0;
    const source = function* (): Generator<Uint8Array> {
      yield new TextEncoder().encode("# short\n");
      for (; given < 1000; given++) yield new Uint8Array(1000).fill(65);
    };
    await expect(collect(source(), { maxLineLength: 5000 })).rejects.toMatchObject({
      code: "line-length",
      message: "readConllu: line 2: length: expected at most 5000 characters, got more",
    });
    expect(given).toBeLessThan(10);
    await expect(collect([`# ok\n# ${"x".repeat(50)}\n`], { maxLineLength: 20 })).rejects.toMatchObject({
      code: "line-length",
      fields: { line: 2 },
    });
  });

  it("gives errors that are bad input, not bugs", async () => {
    const error: unknown = await collect(["1\n"]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({ kind: "input", fields: { line: 1, expected: "10", got: "1" } });
  });
});

describe("serializeConllu", () => {
  const field = fc.stringMatching(/^[^\s\0]{1,6}$/u).filter((text) => !text.startsWith("#"));
  const columns = {
    form: field,
    lemma: field,
    upos: field,
    xpos: field,
    feats: field,
    head: fc.option(fc.nat(99), { nil: undefined }),
    deprel: field,
    deps: field,
    misc: field,
  };
  const number = fc.integer({ min: 1, max: 999_999_999 });
  const row = fc.oneof(
    fc.record({ kind: fc.constant("word" as const), id: number, ...columns }),
    fc.record({ kind: fc.constant("multiword" as const), first: number, last: number, ...columns }),
    fc.record({ kind: fc.constant("empty" as const), after: fc.nat(999), index: number, ...columns }),
  );
  const sentence = fc.record({
    comments: fc.array(field.map((text) => `#${text}`)),
    rows: fc.array(row, { minLength: 1, maxLength: 5 }),
  });

  it("is undone by parseConllu", () => {
    fc.assert(
      fc.property(fc.array(sentence, { maxLength: 4 }), (sentences) => {
        const again = parseConllu(serializeConllu(sentences));
        expect(again.map(({ comments, rows }) => ({ comments, rows }))).toEqual(sentences);
      }),
    );
  });

  it("gives back the text", () => {
    expect(serializeConllu(parseConllu(sample))).toBe(sample);
  });
});
