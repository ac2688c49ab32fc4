import { flips } from "@nasty/taggers";

/** A word that two models label otherwise, with the words around it. */
export interface FlippedWord {
  readonly before: string;
  readonly form: string;
  readonly after: string;
  readonly first: string;
  readonly second: string;
}

/** Words that are shown on either side. */
const around = 4;

/** The words whose labels differ. */
export function flippedWords(
  sentences: readonly (readonly string[])[],
  first: readonly (readonly string[])[],
  second: readonly (readonly string[])[],
): FlippedWord[] {
  return flips(first, second).map(({ sentence, word, original, changed }) => {
    const words = sentences[sentence] ?? [];
    return {
      before: words.slice(Math.max(0, word - around), word).join(" "),
      form: words[word] ?? "",
      after: words.slice(word + 1, word + 1 + around).join(" "),
      first: original,
      second: changed,
    };
  });
}
