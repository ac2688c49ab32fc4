import { type LabelledSentence, TaggerError } from "@nasty/taggers";

/** A text, or two that belong together, with what it is. */
export interface LabelledText {
  readonly text: string;
  /** The second text of a pair: a hypothesis, an answer, a paraphrase. */
  readonly pair?: string | undefined;
  readonly label: string;
  /** Where it stands in its file, for messages: `line 12`. */
  readonly place?: string | undefined;
}

/** Labelled texts, streamed or at hand. */
export type LabelledTexts = Iterable<LabelledText> | AsyncIterable<LabelledText>;

/** Where a text stands, for messages: its place in a file, or its number from 1. */
export const placeOfText = ({ place }: Pick<LabelledText, "place">, index: number): string =>
  place ?? `text ${index + 1}`;

/**
 * All texts of a source.
 *
 * @param like a text of another source that these must be like: pairs, or single texts; the first unless given
 * @throws TaggerError `empty` without one, `misaligned` where some texts are pairs and others are not.
 */
export async function collectTexts<T extends Omit<LabelledText, "label">>(
  texts: Iterable<T> | AsyncIterable<T>,
  where: string,
  like?: Pick<LabelledText, "pair">,
): Promise<T[]> {
  const read: T[] = [];
  for await (const one of texts) {
    const first = like ?? read[0];
    if (first !== undefined && (first.pair === undefined) !== (one.pair === undefined)) {
      const [expected, got] = first.pair === undefined ? ["one text", "a pair"] : ["a pair", "one text"];
      throw new TaggerError(
        "misaligned",
        `${where}: ${placeOfText(one, read.length)}: expected ${expected} as in the first of training, got ${got}`,
      );
    }
    read.push(one);
  }
  if (read.length > 0) return read;
  throw new TaggerError("empty", `${where}: texts: expected at least 1, got 0`);
}

/** The texts as sentences of one word, for what tells one set of data from another. */
export const asSentences = (texts: readonly LabelledText[]): LabelledSentence[] =>
  texts.map(({ text, pair, label }) => ({
    words: pair === undefined ? [text] : [text, pair],
    labels: [label],
  }));
