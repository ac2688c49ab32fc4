import { type Tagger, textSentences } from "@nasty/taggers";

/** A short text is repeated: one call for a few words measures the way to the worker and back. */
const leastWords = 1000;
const rounds = 5;

/**
 * Words a second of taggers on a text: the median of several rounds, in which the taggers take turns.
 *
 * @returns one number a tagger, in their order; none for a text without words
 */
export async function wordsPerSecond(
  text: string,
  taggers: readonly Tagger[],
  signal: AbortSignal,
): Promise<number[]> {
  const sentences = [...textSentences(text)].map(({ words }) => words.map(({ form }) => form));
  const once = sentences.reduce((sum, words) => sum + words.length, 0);
  if (once === 0) return [];
  const repeats = Math.ceil(leastWords / once);
  const repeated = Array.from({ length: repeats }, () => sentences).flat();
  const times = taggers.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, tagger] of taggers.entries()) {
      const begin = performance.now();
      for await (const labels of tagger.tag(repeated, { signal })) void labels;
      times[at]?.push(performance.now() - begin);
    }
  }
  return times.map(
    (each) => (1000 * repeats * once) / (each.toSorted((a, b) => a - b)[rounds >> 1] as number),
  );
}
