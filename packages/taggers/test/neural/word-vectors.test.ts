import { tensor } from "@nasty/core";
import type { Session } from "@nasty/runtime";
import { expect, test } from "vitest";
import { makeWordFeatures } from "../../src/neural/features/word-features.js";
import { makeWordStore } from "../../src/neural/word-store.js";
import { makeWordVectors } from "../../src/neural/word-vectors.js";
import { tinyFeatures } from "./tiny-neural.js";

test("a word that is added while others are computed gets its vector afterwards", async () => {
  const counts: number[] = [];
  const session: Session = {
    inputs: [],
    outputs: [],
    async run(feeds) {
      const words = feeds["word_ids"]?.shape[0] as number;
      counts.push(words);
      await Promise.resolve();
      return { embeddings: tensor("float32", [words, 2], new Float32Array(words * 2).fill(1)) };
    },
    close: async () => {},
  } as Partial<Session> as Session;
  const store = makeWordStore(makeWordFeatures(tinyFeatures));
  const vectors = makeWordVectors(session, store, tinyFeatures);
  store.placeOf("time");
  store.placeOf("like");
  const first = vectors.update();
  store.placeOf("late");
  await first;
  await vectors.update();
  expect(counts).toEqual([2, 1]);
  expect([...vectors.table.data.subarray(0, 8)]).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
  await vectors.update();
  expect(counts).toEqual([2, 1]);
});
