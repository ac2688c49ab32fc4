import { columnEvidence } from "./column-evidence.js";
import { formOfName, type TextForm } from "./form-of-name.js";
import { mode, type TextRows, textRows } from "./text-rows.js";

/** What a text was taken for. */
export interface FoundForm {
  readonly form: TextForm;
  /**
   * `content` where that decides; `name` where it leaves the form open and the name says it; `default` where the name
   * is silent too.
   */
  readonly by: "content" | "name" | "default";
  /** What was seen, as a clause for a message: `no column of labels repeats`. */
  readonly why: string;
  /** Whether the other reading is likely enough to be mentioned to the person. */
  readonly isClose?: boolean;
}

/**
 * Tells what a text is from how it begins: the content decides, the name helps where the content leaves it open.
 *
 * - CoNLL-U: a comment declares columns (`# global.columns`), or most rows have ten columns of which the first is an ID
 *   and the seventh a head, or eight and more that count the words and leave values open with `_` (a faulty file is
 *   still CoNLL-U).
 * - Columns: most rows have the same number of columns, words in one and labels in another: labels of chunks, of `O`
 *   and types, universal tags, or any labels that repeat over sentences parted by empty lines. With blanks between the
 *   columns, which prose has as well, less is believed.
 * - Plain text: the rest; tables of other things, lists of words and one token a line are plain text unless the name
 *   says columns.
 *
 * @param head the start of the text, 64 kB or all of it
 * @param name of the file, for its ending; `isWhole` whether the text ends where `head` does (then its last line
 *   counts)
 * @example
 * ```ts
 * findTextForm("Ada\tB-PER\nran\tO\n\n", { name: "train.txt", isWhole: true }).form; // "columns"
 * ```
 */
export function findTextForm(
  head: string,
  { name = "", isWhole = false }: { readonly name?: string; readonly isWhole?: boolean } = {},
): FoundForm {
  const text = textRows(head, isWhole);
  const named = formOfName(name);
  if (text.declaresColumns) return byContent("conllu", "a comment declares its columns");
  if (text.rows.length === 0) {
    return { form: named ?? "plain", by: named === undefined ? "default" : "name", why: "it has no rows" };
  }
  if (isConllu(text)) return byContent("conllu", "its rows are numbered and have the columns of CoNLL-U");
  const columns = columnEvidence(text);
  if (columns.verdict === "labels") return byContent("columns", columns.why);
  if (named === "conllu" && isBrokenConllu(text))
    return { form: "conllu", by: "name", why: "its lines are like those of CoNLL-U, but not in its columns" };
  if (columns.verdict === "none") return byContent("plain", columns.why);
  return {
    form: named === "columns" ? "columns" : "plain",
    by: named === undefined || named === "conllu" ? "default" : "name",
    why: columns.why,
    ...(columns.isClose === true ? { isClose: true } : {}),
  };
}

const byContent = (form: TextForm, why: string): FoundForm => ({ form, by: "content", why });

const idPattern = /^(?:[0-9]+|[0-9]+-[0-9]+|[0-9]+\.[0-9]+)$/;

function isConllu({ rows }: TextRows): boolean {
  const split = rows.filter((row) => row.includes("\t")).map((row) => row.split("\t"));
  if (split.length < rows.length / 2) return false;
  const numbered = split.filter(([id = ""]) => idPattern.test(id));
  if (numbered.length < 0.8 * split.length) return false;
  const { value: width } = mode(split.map(({ length }) => length));
  if (width === 10) {
    const heads = numbered.filter(({ length }) => length === 10).map((fields) => fields[6] as string);
    return heads.filter((head) => head === "_" || /^[0-9]+$/.test(head)).length >= heads.length / 2;
  }
  const [first = ""] = numbered[0] as string[];
  return width >= 8 && /^(?:0|1|[01][-.][0-9]+)$/.test(first) && split.some((fields) => fields.includes("_"));
}

/** Whether a file that is named as CoNLL-U looks like a damaged one rather than like prose. */
function isBrokenConllu({ rows, keyedComments }: TextRows): boolean {
  return keyedComments > 0 || rows.some((row) => row.includes("\t")) || /^1[\s-]/.test(rows[0] as string);
}
