/** Which columns of a file hold what; columns count from 1, as messages do. */
export interface ColumnLayout {
  readonly separator: "tab" | "blanks";
  /** Number of columns in every row; undefined where rows may differ (numbered columns). */
  readonly count: number | undefined;
  readonly word: number;
  readonly label: number;
  /** Whether the first column numbers the words, so that ranges and empty nodes can occur. */
  readonly numbered: boolean;
}

const labelPattern = /^(O|[BIESLU](-.*)?)$/;
const numberPattern = /^[0-9]+([-.][0-9]+)?$/;

/** The fields of a row. */
export function splitRow(line: string, separator: ColumnLayout["separator"]): string[] {
  return separator === "tab"
    ? line.split("\t")
    : // Not trim(): a no-break space is a word of some corpora.
      line.replace(/^[ \t]+|[ \t]+$/g, "").split(/[ \t]+/);
}

/** Whether a first column is the number of a word, a range of words or an empty node. */
export function isRowNumber(field: string | undefined): boolean {
  return field !== undefined && numberPattern.test(field);
}

/** Whether a row is no sentence but the start of a document, as CoNLL-2003 marks it. */
export function isDocumentStart(line: string): boolean {
  return line.startsWith("-DOCSTART-");
}

/**
 * Whether a line that begins with `#` is a comment. Hashtags and the character itself are words too, so the columns
 * decide: with tabs, `#MH17<tab>O` is a row and `# text = a<tab>b` is not; with blanks, `# key = value` is a comment,
 * `# NN I-NP O` a row.
 */
export function isComment(
  line: string,
  layout: Pick<ColumnLayout, "count" | "numbered"> | undefined,
): boolean {
  if (layout?.numbered === true || line === "#") return true;
  if (line.includes("\t")) {
    return /^#[ \t]/.test(line) && !labelPattern.test(line.slice(line.lastIndexOf("\t") + 1));
  }
  const fields = splitRow(line, "blanks");
  if (fields.length < 2 || /^#\s*\S+\s+=(\s|$)/.test(line)) return true;
  if (layout?.count !== undefined && fields.length !== layout.count) return true;
  return !labelPattern.test(fields.at(-1) as string);
}

/**
 * The layout of a file from the rows of its first sentence: numbered columns (`id word label …`, as in Universal NER)
 * where the first column counts 1, 2, 3, … (or from 0, as WikiNEuRal does) and a later one holds labels; else the word
 * first and the label last (two columns; the four of CoNLL-2003).
 */
export function detectLayout(rows: readonly string[]): ColumnLayout {
  const separator = rows.some((row) => row.includes("\t")) ? "tab" : "blanks";
  const split = rows.map((row) => splitRow(row, separator));
  const count = (split[0] as string[]).length;
  const label = numberedLabel(split, count);
  return label === undefined
    ? { separator, count, word: 1, label: count, numbered: false }
    : { separator, count: undefined, word: 2, label, numbered: true };
}

/** The column of the labels where the first column numbers the words, undefined where it does not. */
function numberedLabel(split: readonly (readonly string[])[], count: number): number | undefined {
  let next = split[0]?.[0] === "0" ? 0 : 1;
  const counts = split.every((fields) => {
    const [number] = fields;
    if (!isRowNumber(number) || fields.length < 3) return false;
    return /[-.]/.test(number as string) || Number(number) === next++;
  });
  if (!counts) return undefined;
  const lastHasLabels = split.every((fields) => labelPattern.test(fields.at(-1) as string));
  if (split.every((fields) => labelPattern.test(fields[2] as string))) {
    // Four-column rows such as "1 CD B-NP O" end in their label; so do the rows of GermEval, but those count on and on.
    return count > 3 && split.length < 3 && lastHasLabels ? undefined : 3;
  }
  // Two rows may be a sentence of two numbers; from the third on they count.
  const words = split.map((fields) => fields[1] as string);
  if (split.length < 3 && words.every((word) => /^[A-Z$.,:]+$/.test(word))) return undefined;
  return lastHasLabels ? count : 3;
}
