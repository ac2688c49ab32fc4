import type { FeatureSettings, WordCodes } from "@nasty/taggers/neural";

/** What the vocabulary of a model is made of. */
export interface VocabularyCounts {
  /** Occurrences of each lower-cased word. */
  readonly words: ReadonlyMap<string, number>;
  /** Occurrences of each UTF-16 code unit. */
  readonly characters: ReadonlyMap<string, number>;
}

/** Counts lower-cased words and characters of training sentences. */
export function countWords(sentences: Iterable<readonly string[]>): VocabularyCounts {
  const words = new Map<string, number>();
  const characters = new Map<string, number>();
  for (const sentence of sentences) {
    for (const word of sentence) {
      const lower = word.toLowerCase();
      words.set(lower, (words.get(lower) ?? 0) + 1);
      for (let i = 0; i < word.length; i++) {
        const character = word[i] as string;
        characters.set(character, (characters.get(character) ?? 0) + 1);
      }
    }
  }
  return { words, characters };
}

export interface FeatureOptions extends Omit<FeatureSettings, "vocabulary" | "characters"> {
  /** Fewest occurrences of a word with a row of its own. */
  readonly leastCount: number;
  readonly codes?: WordCodes | undefined;
  /** Whether there is a character encoder. */
  readonly hasCharacters: boolean;
}

/** Characters seen less often than this share the row of unknown ones. */
const LEAST_CHARACTER_COUNT = 5;

/**
 * Settings of the features for counted training text.
 *
 * Words are in alphabetical order (by UTF-16 code units), so that the list packs well and does not depend on the order
 * of the text.
 */
export function featureSettings(
  counts: VocabularyCounts,
  { leastCount, hasCharacters, ...sizes }: FeatureOptions,
): FeatureSettings {
  const vocabulary = [...counts.words].flatMap(([word, count]) => (count >= leastCount ? [word] : [])).sort();
  const seen = [...counts.characters].flatMap(([character, count]) =>
    count >= LEAST_CHARACTER_COUNT && isWhole(character) ? [character] : [],
  );
  return { ...sizes, vocabulary, characters: hasCharacters ? seen.sort().join("") : "" };
}

/** Halves of surrogate pairs would not survive JSON in UTF-8. */
const isWhole = (character: string): boolean => !/[\uD800-\uDFFF]/.test(character);
