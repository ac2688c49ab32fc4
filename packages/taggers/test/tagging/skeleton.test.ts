import { tensor } from "@nasty/core";
import { expect, test } from "vitest";
import { evenBatches } from "../../src/tagging/batches.js";
import { decodeSingly } from "../../src/tagging/decode.js";
import { type Encoding, type Running, taggerOf } from "../../src/tagging/skeleton.js";
import { type WordRow, wordRows } from "../../src/tagging/rows.js";
import { labellingOf } from "../../src/task.js";

const labels = ["EVEN", "ODD"];

/** A tagger of numbers: three words a row, whose scores stand in every second position, backwards where it is asked. */
function numberTagger({ backwards = false, fixedRows }: { backwards?: boolean; fixedRows?: number } = {}) {
  const runs: number[] = [];
  const rowsOf = (block: readonly (readonly string[])[]): WordRow[] =>
    block.flatMap((words, sentence) => wordRows(Int32Array.from(words, Number), sentence, 3));
  const length = 6;
  const positionOf = (r: number, place: number): number => r * length + 2 * (backwards ? 2 - place : place);
  const encoding: Encoding<WordRow> = {
    defaults: { batchSize: 4, batchTokens: 100, lookAhead: 8 },
    fixedRows,
    batchesOf: (rows, limits) => evenBatches(rows, limits, (shortest) => shortest),
    reader: () => ({
      rowsOf,
      inputsOf: (batch) => ({
        feeds: {
          ids: tensor(
            "int32",
            [batch.length],
            Int32Array.from(batch, ({ ids }) => ids.length),
          ),
        },
        mask: tensor("uint8", [batch.length], new Uint8Array(batch.length).fill(1)),
      }),
    }),
  };
  const running: Running<WordRow> = {
    rowsOf,
    async run(batch) {
      runs.push(batch.length);
      const data = new Float32Array(batch.length * length * labels.length).fill(9);
      batch.forEach(({ ids }, r) => {
        ids.forEach((id, place) => {
          data.set(id % 2 === 0 ? [1, 0] : [0, 1], positionOf(r, place) * labels.length);
        });
      });
      return { data, positionOf: (r, word) => positionOf(r, word - (batch[r] as WordRow).firstWord) };
    },
  };
  const tagger = taggerOf(encoding, running, {
    kind: "sequence",
    labels,
    labelling: labellingOf(labels, { task: "pos" }),
    decode: decodeSingly,
    close: async () => {},
  });
  return { tagger, runs };
}

const sentences = [[1], [], [2, 4, 5], [7, 7, 7, 8, 8, 9, 9, 10], [3, 2], [6]].map((words) =>
  words.map(String),
);
const expected = sentences.map((words) => words.map((word) => labels[Number(word) % 2]));

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const result of results) out.push(result);
  return out;
}

test.each([
  [{}, {}],
  [{ backwards: true }, {}],
  [{}, { batchSize: 1 }],
  [{ backwards: true }, { batchSize: 2, lookAhead: 2 }],
  [{}, { batchTokens: 1 }],
])("labels are put together in input order, by the row that owns each word: %j %j", async (form, options) => {
  expect(await all(numberTagger(form).tagger.tag(sentences, options))).toEqual(expected);
});

test("scores are those of the words, wherever a run has them", async () => {
  for (const backwards of [false, true]) {
    const scores = await all(numberTagger({ backwards }).tagger.scores(sentences));
    expect(scores.map(({ length }) => length)).toEqual(sentences.map(({ length }) => length));
    scores.forEach(({ data, start, length }, s) => {
      expect([...data.subarray(start, start + length * 2)]).toEqual(
        (expected[s] as string[]).flatMap((label) => (label === "EVEN" ? [1, 0] : [0, 1])),
      );
    });
  }
});

test("a run has as many rows as are asked for, or as the model fixes", async () => {
  const most = async (form: { fixedRows?: number }, options: { batchSize?: number }): Promise<number> => {
    const { tagger, runs } = numberTagger(form);
    await all(
      tagger.tag(
        Array.from({ length: 8 }, () => ["1"]),
        options,
      ),
    );
    expect(runs.reduce((sum, rows) => sum + rows, 0)).toBe(8);
    return Math.max(...runs);
  };
  expect(await most({}, {})).toBe(4);
  expect(await most({}, { batchSize: 3 })).toBe(3);
  expect(await most({ fixedRows: 2 }, { batchSize: 3 })).toBe(2);
});

test("feeds are those of the runs, and count the words that they label", async () => {
  const { tagger, runs } = numberTagger();
  await all(tagger.tag(sentences));
  const batches = await all(tagger.feedsOf(sentences));
  expect(batches.map(({ mask }) => mask.shape[0])).toEqual(runs);
  expect(batches.reduce((sum, { words }) => sum + words, 0)).toBe(expected.flat().length);
  expect(Object.keys(batches[0] as object).sort()).toEqual(["feeds", "mask", "words"]);
});

test("nothing is run or encoded after the signal", async () => {
  const { tagger, runs } = numberTagger();
  const controller = new AbortController();
  const { signal } = controller;
  const feeds = tagger.feedsOf(sentences, { batchSize: 1, lookAhead: 8, signal })[Symbol.asyncIterator]();
  await feeds.next();
  const tags = tagger.tag(sentences, { batchSize: 1, signal })[Symbol.asyncIterator]();
  await tags.next();
  expect(runs).toEqual([1]);
  controller.abort(new Error("enough"));
  await expect(feeds.next()).rejects.toThrow("enough");
  await expect(tags.next()).rejects.toThrow("enough");
  expect(runs).toEqual([1]);
});
