import { type Tensor, tensor } from "@nasty/core";
import type { Session } from "@nasty/runtime";
import type { FeatureSettings } from "./features/feature-settings.js";
import type { WordFeatures } from "./features/word-features.js";
import { embeddingsValue } from "./graph-values.js";
import { wordFeeds } from "./word-feeds.js";
import type { WordStore } from "./word-store.js";

/** Vectors of the words of a store, computed once. */
export interface WordVectors {
  /** Computes what is missing. */
  update(): Promise<void>;
  /** All vectors, [capacity, width]: rows beyond the store's size are zeros. */
  readonly table: Tensor<"float32">;
}

/** Words that are embedded in one run. */
const CHUNK = 256;
const FIRST_CAPACITY = 1024;

/** An empty table in front of a session of the embedding half of a model. */
export function makeWordVectors(session: Session, store: WordStore, settings: FeatureSettings): WordVectors {
  let width = 0;
  let table = new Float32Array(0);
  let capacity = 0;
  let known = 0;

  const reserve = (rows: number): void => {
    if (rows <= capacity) return;
    while (capacity < rows) capacity = capacity === 0 ? FIRST_CAPACITY : capacity * 2;
    const larger = new Float32Array(capacity * width);
    larger.set(table);
    table = larger;
  };

  return {
    async update() {
      if (known === store.size) return;
      const [first, end] = [known, store.size];
      const missing = Array.from({ length: end - first }, (_, i) => first + i);
      // Words of like length share a run, so that little of it is padding.
      missing.sort((a, b) => lengthOf(store, a) - lengthOf(store, b));
      for (let i = 0; i < missing.length; i += CHUNK) {
        const places = missing.slice(i, i + CHUNK);
        const words: WordFeatures[] = places.map((place) => store.at(place));
        const { [embeddingsValue]: output } = await session.run(wordFeeds(words, settings), [
          embeddingsValue,
        ]);
        const { data, shape } = output as Tensor<"float32">;
        width = shape[1] as number;
        reserve(end);
        places.forEach((place, row) =>
          table.set(data.subarray(row * width, (row + 1) * width), place * width),
        );
      }
      // Another call may have added words, or computed more, meanwhile.
      known = Math.max(known, end);
    },
    get table() {
      return tensor("float32", [capacity, width], table);
    },
  };
}

const lengthOf = (store: WordStore, place: number): number => store.at(place).characters.length;
