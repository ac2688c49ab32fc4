import { spansOf } from "@nasty/formats/iob";
import { type Tagger, textSentences } from "@nasty/taggers";

/** A word of the text, with what each tagger says of it. */
export interface Word {
  readonly form: string;
  /** UTF-16 units of the text. */
  readonly start: number;
  readonly end: number;
  readonly pos: string;
  /** Type of the entity that the word is in; "" outside. */
  readonly entity: string;
  /** Whether an entity begins here. */
  readonly isFirst: boolean;
}

/** Tags a text with parts of speech and entities. */
export async function tagWords(
  text: string,
  { pos, ner }: { readonly pos: Tagger; readonly ner: Tagger },
  signal: AbortSignal,
): Promise<Word[]> {
  const sentences = [...textSentences(text)];
  const forms = sentences.map(({ words }) => words.map(({ form }) => form));
  const labelsOf = async (tagger: Tagger): Promise<(readonly string[])[]> => {
    const all: (readonly string[])[] = [];
    for await (const labels of tagger.tag(forms, { signal })) all.push(labels);
    return all;
  };
  const parts = await labelsOf(pos);
  const entities = await labelsOf(ner);
  return sentences.flatMap((sentence, s) => {
    const spans = spansOf(entities[s] ?? []);
    return sentence.words.map(({ form, start, end }, at): Word => {
      const span = spans.find((one) => one.start <= at && at < one.end);
      return {
        form,
        start,
        end,
        pos: parts[s]?.[at] ?? "",
        entity: span?.type ?? "",
        isFirst: span?.start === at,
      };
    });
  });
}
