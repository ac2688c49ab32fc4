import { declaredColumns } from "../conllu/columns.js";
import { isComment, isDocumentStart } from "../iob/layout.js";

/** The lines at the start of a text, as rows in groups that empty lines part. */
export interface TextRows {
  readonly rows: readonly string[];
  /** Number of rows in each group. */
  readonly groups: readonly number[];
  /** Comments that look like those of CoNLL-U: `# key = value`. */
  readonly keyedComments: number;
  /** Whether a comment declares the columns (CoNLL-U Plus). */
  readonly declaresColumns: boolean;
  readonly startsDocument: boolean;
}

/** Rows of one text that are looked at: what more of them would say is known by then. */
const mostRows = 2000;

/**
 * Takes the start of a text apart.
 *
 * @param isWhole whether the text ends here; else its last line may be cut, and is left out
 */
export function textRows(head: string, isWhole: boolean): TextRows {
  const lines = (head.charCodeAt(0) === 0xfeff ? head.slice(1) : head).split("\n");
  if (!isWhole && lines.length > 1) lines.pop();
  const rows: string[] = [];
  const groups: number[] = [];
  let [keyedComments, group] = [0, 0];
  let [declaresColumns, startsDocument] = [false, false];
  for (const raw of lines) {
    if (rows.length >= mostRows) break;
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line.trim() === "") {
      if (group > 0) groups.push(group);
      group = 0;
    } else if (isDocumentStart(line)) {
      startsDocument = true;
    } else if (line.startsWith("#") && isComment(line, undefined)) {
      if (/^#\s*[\w.[\]:-]+\s*=/.test(line) || /^#\s*(?:newdoc|newpar)\b/.test(line)) keyedComments++;
      // Behind the first row it would come too late for the rows before it.
      if (rows.length === 0 && declaredColumns(line) !== undefined) declaresColumns = true;
    } else {
      rows.push(line);
      group++;
    }
  }
  if (group > 0) groups.push(group);
  return { rows, groups, keyedComments, declaresColumns, startsDocument };
}

/** The most frequent number among some, and how many are that. */
export function mode(values: readonly number[]): { readonly value: number; readonly count: number } {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let [value, count] = [0, 0];
  for (const [candidate, times] of counts) if (times > count) [value, count] = [candidate, times];
  return { value, count };
}
