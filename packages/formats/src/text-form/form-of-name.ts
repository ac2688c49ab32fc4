/** CoNLL-U (CoNLL-U Plus too), columns of words and labels, or plain text. */
export type TextForm = "conllu" | "columns" | "plain";

const forms: Readonly<Record<string, TextForm>> = {
  conllu: "conllu",
  conllup: "conllu",
  cupt: "conllu",
  conll: "columns",
  iob: "columns",
  iob1: "columns",
  iob2: "columns",
  bio: "columns",
  bioes: "columns",
  bilou: "columns",
  bmes: "columns",
  ner: "columns",
  txt: "plain",
  text: "plain",
  md: "plain",
};

/**
 * The form that the ending of a name stands for, `.gz` and `.br` left aside; undefined where it stands for none.
 *
 * @example
 * ```ts
 * formOfName("train.iob2.gz"); // "columns"
 * ```
 */
export function formOfName(name: string): TextForm | undefined {
  const ending = /\.(?<ending>\w+)(?:\.gz|\.br)?$/i.exec(name)?.groups?.["ending"];
  return ending === undefined ? undefined : forms[ending.toLowerCase()];
}
