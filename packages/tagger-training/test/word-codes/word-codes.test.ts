import { TaggerError } from "@nasty/taggers";
import { seededRandom } from "@nasty/training";
import { expect, test } from "vitest";
import { encodeVectors, type EncodedVectors } from "../../src/word-codes/encode-vectors.js";
import { onPrincipalAxes } from "../../src/word-codes/principal-axes.js";
import { parseVectors, type WordVectors } from "../../src/word-codes/word-vectors.js";

test("vectors in the formats of GloVe and word2vec", async () => {
  const expected = { words: ["the", "of"], width: 2, values: Float32Array.of(0.5, -1, 2, 0.25) };
  expect(await parseVectors(["the 0.5 -1", "of 2 2.5e-1 ", ""])).toEqual(expected);
  expect(await parseVectors(["3 2", "The 0.5 -1", "THE 9 9", "of 2 0.25"])).toEqual(expected);
  expect(await parseVectors(["the 0.5 -1", "of 2 0.25", "and x y"], { limit: 2 })).toEqual(expected);
});

test.each([
  [["a 1 2", "b 1"], 'v.txt: line 2: expected a word and 2 numbers between blanks, got "b 1"'],
  [["a 1 2", "b 1 NaN"], "v.txt: line 2: expected a word and 2 numbers"],
  [["alone"], "v.txt: line 1: expected a word and its numbers"],
  [["2 3"], "v.txt: expected vectors of words, got no line"],
])("%j is refused", async (lines, message) => {
  const refused = expect(parseVectors(lines, { name: "v.txt" })).rejects;
  await refused.toThrow(TaggerError);
  await refused.toThrow(message);
});

test("axes keep the distances, the widest first, and the first ones most of them", () => {
  const random = seededRandom(3);
  // Three numbers that all but follow one other number.
  const values = Float32Array.from({ length: 600 }, () => 0);
  for (let i = 0; i < 200; i++) {
    const base = random.normal() * 5;
    values.set([7 + base + random.normal(), 2 * base + random.normal(), random.normal()], i * 3);
  }
  const turned = onPrincipalAxes(values, { width: 3, kept: 3 });
  const variances = [0, 1, 2].map((axis) => variance(turned, 3, axis));
  const before = [0, 1, 2].map((axis) => variance(values, 3, axis));
  expect(variances).toEqual(variances.toSorted((a, b) => b - a));
  expect(sum(variances)).toBeCloseTo(sum(before), 2);
  expect(variances[0]).toBeGreaterThan(0.9 * sum(variances));
  expect([...onPrincipalAxes(values, { width: 3, kept: 5 }).subarray(3, 5)]).toEqual([0, 0]);
});

test("each codebook brings the sum of rows nearer to the vector", () => {
  const vectors = cloud(2000, 8);
  const plain = encodeVectors(vectors, { limit: 2000, books: 1 });
  expect(plain.words).toEqual(vectors.words.toSorted());
  const errors = [1, 2, 4].map((books) => errorOf(vectors, encodeVectors(vectors, { limit: 2000, books })));
  expect(errors[1]).toBeLessThan(0.6 * (errors[0] as number));
  expect(errors[2]).toBeLessThan(0.4 * (errors[1] as number));
  expect(errors[2]).toBeLessThan(0.05);
});

test("the same vectors give the same codes, of the words that are asked for", () => {
  const vectors = cloud(300, 4);
  const made = () => encodeVectors(vectors, { limit: 50, width: 3, books: 2, seed: 5 });
  expect(made()).toEqual(made());
  expect(made().words).toHaveLength(50);
  expect(made().words).toContain(vectors.words[49]);
  expect(made()).toMatchObject({ width: 3, books: 2 });
  expect(made().codes).toHaveLength(100);
  expect(made().rows).toHaveLength(2 * 256 * 3);
});

test.each([{ books: 0 }, { books: 65 }, { width: 1.5 }, { limit: 0 }])("%j is refused", (options) => {
  const [[name = "", value] = []] = Object.entries(options);
  expect(() => encodeVectors(cloud(10, 2), options)).toThrow(
    new RegExp(`encodeVectors: ${name}: expected a whole number from 1 to \\d+, got ${value}`),
  );
});

/** Words in groups: vectors of a group are alike. */
function cloud(count: number, width: number): WordVectors {
  const random = seededRandom(1);
  const centres = Array.from({ length: 40 }, () => Array.from({ length: width }, () => random.normal()));
  const values = Float32Array.from({ length: count * width }, (_, i) => {
    const centre = centres[Math.floor(i / width) % 40] as number[];
    return (centre[i % width] as number) + 0.3 * random.normal();
  });
  return { words: Array.from({ length: count }, (_, i) => `w${(i * 7919) % count}`), width, values };
}

/** Mean square error of distances to the first word's vector, relative to their mean square. */
function errorOf(vectors: WordVectors, encoded: EncodedVectors): number {
  const { width, words, values } = vectors;
  const coded = new Map(encoded.words.map((word, i) => [word, vectorOf(encoded, i)]));
  const exact = new Map(words.map((word, i) => [word, [...values.subarray(i * width, (i + 1) * width)]]));
  const scale = meanLength(coded) / meanLength(centred(exact));
  const [first = ""] = words;
  let error = 0;
  let whole = 0;
  for (const word of words.slice(1)) {
    const expected = scale * distance(exact, first, word);
    error += (expected - distance(coded, first, word)) ** 2;
    whole += expected ** 2;
  }
  return error / whole;
}

function vectorOf({ books, words, codes, width, rows }: EncodedVectors, word: number): number[] {
  const out = Array.from({ length: width }, () => 0);
  for (let book = 0; book < books; book++) {
    const row = book * 256 + (codes[book * words.length + word] as number);
    for (let j = 0; j < width; j++) out[j] = (out[j] as number) + (rows[row * width + j] as number);
  }
  return out;
}

type Vectors = ReadonlyMap<string, readonly number[]>;

function centred(vectors: Vectors): Vectors {
  const all = [...vectors.values()];
  const mean = (all[0] ?? []).map((_, j) => sum(all.map((row) => row[j] as number)) / all.length);
  return new Map(
    [...vectors].map(([word, row]) => [word, row.map((value, j) => value - (mean[j] as number))]),
  );
}

const meanLength = (vectors: Vectors): number =>
  sum([...vectors.values()].map((row) => Math.hypot(...row))) / vectors.size;

const distance = (vectors: Vectors, a: string, b: string): number =>
  Math.hypot(...(vectors.get(a) ?? []).map((value, j) => value - ((vectors.get(b) ?? [])[j] as number)));

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function variance(values: Float32Array, width: number, axis: number): number {
  const column = [...values].filter((_, i) => i % width === axis);
  const mean = sum(column) / column.length;
  return sum(column.map((value) => (value - mean) ** 2)) / column.length;
}
