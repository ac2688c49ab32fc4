import type { Columns, Row, Sentence } from "@nasty/formats/conllu";
import { outside } from "@nasty/formats/iob";
import { entityLabels, type Labelling, type Task } from "../task.js";
import { hasSeparator } from "./characters.js";
import type { TaggedSentence, TaggedWord } from "./tag-text.js";
import type { Span } from "./tokens.js";

export interface TaggedConlluOptions {
  readonly id: string;
  readonly task: Task;
  readonly labelling?: Labelling | undefined;
}

const EMPTY: Omit<Columns, "form"> = {
  lemma: "_",
  upos: "_",
  xpos: "_",
  feats: "_",
  head: undefined,
  deprel: "_",
  deps: "_",
  misc: "_",
};

/**
 * A tagged sentence as CoNLL-U: `# sent_id`, `# text`, multiword tokens as ranges, `SpaceAfter=No` where the text has
 * no space.
 *
 * Parts of speech stand in UPOS, entity labels in MISC as `NER=B-PER` (words outside of entities have none, nor have
 * those with a label that is foreign to the scheme). White space inside the sentence, line breaks too, becomes one
 * space in `# text`: the format wants it on one line.
 *
 * @param id value of `# sent_id`.
 * @param labelling what the labels are; where only the task is known, every entity label but `O` counts
 *
 * @example
 * ```ts
 * serializeConllu([taggedConllu(sentence, { id: "1", task: "pos" })]);
 * ```
 */
export function taggedConllu(
  sentence: TaggedSentence,
  { id, task, labelling }: TaggedConlluOptions,
): Sentence {
  const entityOf = entityLabels(labelling ?? { form: undefined });
  const rows: Row[] = [];
  let text = "";
  const ranges = new Map(sentence.multiwordTokens.map((token) => [token.firstWord, token]));
  let insideUntil = 0;
  sentence.words.forEach((word, i) => {
    const range = ranges.get(i);
    if (range !== undefined) {
      const glued = isGlued(sentence, range, sentence.words[range.wordsEnd]);
      rows.push({
        ...EMPTY,
        kind: "multiword",
        first: i + 1,
        last: range.wordsEnd,
        form: range.form,
        misc: miscOf([glued && NO_SPACE]),
      });
      text += glued ? range.form : `${range.form} `;
      insideUntil = range.wordsEnd;
    }
    const inside = i < insideUntil;
    const glued = !inside && isGlued(sentence, word, sentence.words[i + 1]);
    if (!inside) text += glued ? word.form : `${word.form} `;
    const entity = task === "ner" && entityOf(word.label);
    rows.push({
      ...EMPTY,
      kind: "word",
      id: i + 1,
      form: word.form,
      upos: task === "pos" ? word.label : "_",
      misc: miscOf([entity !== false && entity !== outside && `NER=${entity}`, glued && NO_SPACE]),
    });
  });
  return { comments: [`# sent_id = ${id}`, `# text = ${text.trimEnd()}`], rows };
}

const NO_SPACE = "SpaceAfter=No";

/** Whether nothing separates a token from the next word: format characters between words do not. */
function isGlued(sentence: TaggedSentence, token: Span, next: TaggedWord | undefined): boolean {
  if (next === undefined) return false;
  const between = sentence.text.slice(token.end - sentence.start, next.start - sentence.start);
  return !hasSeparator(between);
}

function miscOf(entries: readonly (string | false)[]): string {
  return entries.filter((entry) => entry !== false).join("|") || "_";
}
