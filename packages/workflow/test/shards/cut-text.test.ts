import { createHash } from "node:crypto";
import { sentenceSpans } from "@nasty/taggers";
import { describe, expect, it } from "vitest";
import { type Cut, cutGiven, cutPlain, type CutOptions } from "../../src/shards/cut-text.js";

const bytesOf = (text: string): Buffer => Buffer.from(text);

/** The bytes in pieces of some length each. */
async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.slice(at, at + length);
}

async function cuts(
  cut: typeof cutPlain,
  bytes: Uint8Array,
  options: CutOptions & { readonly length: number },
): Promise<Cut[]> {
  const found: Cut[] = [];
  const text = { name: "text", chunks: pieces(bytes, options.length) };
  for await (const one of cut(text, options)) found.push(one);
  return found;
}

const lengths = [1, 7, 64, 1 << 20];

const sentence = "Größe 𝔸 Ada lived in London with Dr. Who. Time flies!\n";
const plainTexts = {
  "with empty lines": `${sentence.repeat(3)}\n`.repeat(40),
  "with blanks around empty lines": `${sentence}\r\n \t\r\n   `.repeat(60),
  "without empty lines": sentence.repeat(3000),
  "without any white space": "𝔸".repeat(50_000),
  "with a byte order mark": `\uFEFF${`${sentence}\n`.repeat(50)}`,
};

describe("cutPlain", () => {
  for (const [name, text] of Object.entries(plainTexts)) {
    it(`cuts a text ${name} where its sentences end, however its bytes arrive`, async () => {
      const bytes = bytesOf(text);
      const found = await Promise.all(
        lengths
          // A byte at a time takes long for what is longer than a window.
          .filter((length) => length > 1 || bytes.length < 20_000)
          .map((length) => cuts(cutPlain, bytes, { words: 50, length })),
      );
      const [first] = found as [Cut[]];
      for (const other of found) expect(other).toEqual(first);
      expect(first.length).toBeGreaterThan(1);
      const whole = text.replace(/^\uFEFF/, "");
      expect(first[0]?.start).toBe(text.startsWith("\uFEFF") ? 3 : 0);
      expect(first.at(-1)?.end).toBe(bytes.length);
      const spans: string[] = [];
      for (const [index, { start, end, offset, sha256 }] of first.entries()) {
        if (index > 0) expect(start).toBe(first[index - 1]?.end);
        const part = bytes.subarray(start, end);
        expect(createHash("sha256").update(part).digest("hex")).toBe(sha256);
        expect(whole.slice(offset).startsWith(part.toString())).toBe(true);
        for (const span of sentenceSpans(part.toString())) {
          spans.push(whole.slice(offset + span.start, offset + span.end));
        }
      }
      expect(spans).toEqual(sentenceSpans(whole).map(({ start, end }) => whole.slice(start, end)));
    });
  }

  it("keeps the bytes where they are wanted, and refuses what is not UTF-8 with its place", async () => {
    const bytes = bytesOf(plainTexts["with empty lines"]);
    const kept = await cuts(cutPlain, bytes, { words: 50, length: 100, isKept: true });
    expect(Buffer.concat(kept.map((one) => one.bytes as Uint8Array))).toEqual(bytes);
    const broken = Buffer.concat([bytes.subarray(0, 500), Buffer.of(0xff), bytes]);
    await expect(cuts(cutPlain, broken, { words: 50, length: 100 })).rejects.toThrow(
      "read text: bytes 500 to 600: encoding: expected UTF-8",
    );
  });
});

describe("cutGiven", () => {
  const rows = "# c\n1\tAda\n2\tran\n\n";
  const given = {
    "of sentences": rows.repeat(40),
    "with several empty lines and line ends of Windows": `${rows}\n \t \n`
      .repeat(30)
      .replaceAll("\n", "\r\n"),
    "without an empty line at its end": rows.repeat(40).trimEnd(),
    "of documents": `-DOCSTART- -X- O\n\n${rows.repeat(3)}`.repeat(20),
  };
  for (const [name, text] of Object.entries(given)) {
    it(`cuts a text ${name} behind empty lines, however its bytes arrive`, async () => {
      const bytes = bytesOf(text);
      const found = await Promise.all(
        lengths.map((length) => cuts(cutGiven, bytes, { words: 10, length, isKept: true })),
      );
      const [first] = found as [Cut[]];
      for (const other of found) expect(other).toEqual(first);
      expect(first.length).toBeGreaterThan(3);
      expect(Buffer.concat(first.map((one) => one.bytes as Uint8Array))).toEqual(bytes);
      for (const { start, line, words, bytes: part } of first) {
        expect(line).toBe(bytes.subarray(0, start).toString().split("\n").length - 1);
        const found = part
          ?.toString()
          .split("\n")
          .filter((one) => /^\d/.test(one)).length;
        expect(words).toBe(found);
        // Each begins behind an empty line.
        expect(start === 0 || /\n\s*\n$/.test(bytes.subarray(0, start).toString())).toBe(true);
      }
    });
  }

  it("says where the first sentence ends", async () => {
    const ends: number[] = [];
    const text = `-DOCSTART- O\n\n# only a comment\n\n${rows}${rows}`;
    for await (const _ of cutGiven({ name: "text", chunks: pieces(bytesOf(text), 5) }, { words: 1 }, (end) =>
      ends.push(end),
    )) {
      // Only the lead is looked at.
    }
    expect(ends).toEqual([text.length - rows.length]);
  });

  it("refuses a text whose sentences do not end before it holds it", async () => {
    const line = Buffer.from(`${"x".repeat(1 << 16)}\n`);
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield line;
    }
    const cutting = async (): Promise<void> => {
      for await (const _ of cutGiven({ name: "text", chunks: endless() }, { words: 10 })) {
        // There is none.
      }
    };
    await expect(cutting()).rejects.toThrow("expected an empty line within");
  });
});
