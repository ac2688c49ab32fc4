import { locateInvalidUtf8 } from "../text/whole-lines.js";
import { columnNames } from "./columns.js";
import { type Problem, quoted, type Report } from "./problem.js";
import { checkBlanks, checkColumns, isBlankLine } from "./validate-columns.js";
import { checkComments, type Comment, type CommentState, startComments } from "./validate-comments.js";
import { checkOrder, type RowId, rowId } from "./validate-order.js";
import { checkText } from "./validate-text.js";
import { checkEnhancedGraph, checkTree, type EnhancedState } from "./validate-tree.js";

/** How much to check. */
export interface ValidateConlluOptions {
  /**
   * 1: the file format alone (lines, columns, IDs, blanks, Unicode); 2 (default): also columns, trees, comments and
   * text.
   */
  readonly level?: 1 | 2;
}

interface SentenceState {
  comments: Comment[];
  rows: { id: RowId; fields: string[] }[];
  /** Rows whose ID or column count is wrong: they are words all the same, but order cannot be judged. */
  broken: number;
}

/** What is known of the sentences before, as level 2 needs it. */
interface FileState {
  readonly comments: CommentState;
  readonly enhanced: EnhancedState;
}

const startSentence = (): SentenceState => ({ comments: [], rows: [], broken: 0 });

/**
 * Checks a CoNLL-U file strictly: an empty result means that it follows the format to the byte.
 *
 * Level 1 is the file format: UTF-8 without byte order mark, in normal form C, LF, exactly one empty line behind each
 * sentence, ten columns, no empty column, blanks only inside FORM, LEMMA and MISC, IDs in order. Level 2 adds what
 * Universal Dependencies v2 asks of every treebank: UPOS, FEATS, HEAD, DEPREL, DEPS and MISC well formed, relations
 * that exist, one root and no cycle, an enhanced graph in all sentences or in none and connected, `# sent_id` and
 * `# text` once each, the former unique, the latter spelt by the forms with `SpaceAfter=No` where it has no space,
 * `# parallel_id`, `# newdoc` and `# newpar` in order. Whether the annotation makes sense is not judged.
 *
 * @param input a whole file, as text or bytes (only bytes can show that they are not UTF-8)
 * @returns the problems in the order of the file; of CR LF and invalid UTF-8 only the first
 * @see Universal Dependencies v2, https://universaldependencies.org/format.html and its validation levels 1 and 2
 * @example
 * ```ts
 * for (const { message } of validateConllu(text)) console.error(message);
 * ```
 */
export function validateConllu(
  input: string | Uint8Array,
  { level = 2 }: ValidateConlluOptions = {},
): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (line, column, code, what, expected, got) => {
    const place = column === undefined ? "" : `, column ${column} (${columnNames[column - 1]})`;
    const message = `validateConllu: line ${line}${place}: ${what}: expected ${expected}, got ${got}`;
    problems.push(column === undefined ? { line, code, message } : { line, column, code, message });
  };
  const text = typeof input === "string" ? input : decoded(input, report);
  checkLines(text, level, report);
  return problems.sort((a, b) => a.line - b.line);
}

function decoded(bytes: Uint8Array, report: Report): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const { line, column, byte } = locateInvalidUtf8(bytes);
    const got = `byte 0x${byte.toString(16).padStart(2, "0")} at byte ${column} of the line`;
    report(line, undefined, "encoding", "encoding", "UTF-8", got);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }
}

function checkLines(whole: string, level: 1 | 2, report: Report): void {
  const text = whole.startsWith("\uFEFF") ? whole.slice(1) : whole;
  if (text.length < whole.length) {
    report(1, undefined, "byte-order-mark", "start of the file", "no byte order mark", "U+FEFF");
  }
  if (text === "") return;
  const lines = text.split("\n");
  const lastIsComplete = lines.at(-1) === "";
  if (lastIsComplete) lines.pop();
  checkNewlines(lines, report);
  const file: FileState = { comments: startComments(), enhanced: { with: undefined, without: undefined } };
  let sentence = startSentence();
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const content = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (isBlankLine(content)) {
      endSentence(line, content, sentence, level === 2 ? file : undefined, report);
      sentence = startSentence();
    } else {
      checkCharacters(line, content, report);
      checkLine(line, content, sentence, report);
    }
  }
  if (sentence.comments.length + sentence.rows.length + sentence.broken > 0) {
    const got = lastIsComplete ? "the end of the file" : "the end of the file without a newline";
    report(lines.length, undefined, "missing-empty-line", "end of the last sentence", "an empty line", got);
    endSentence(lines.length, "", sentence, level === 2 ? file : undefined, report);
  } else if (!lastIsComplete) {
    report(
      lines.length,
      undefined,
      "missing-empty-line",
      "end of the file",
      "a newline",
      "the end of the file",
    );
  }
}

function checkNewlines(lines: readonly string[], report: Report): void {
  const first = lines.findIndex((line) => line.endsWith("\r"));
  const lone = lines.findIndex((line) => /\r(?!$)/.test(line));
  if (lone >= 0) report(lone + 1, undefined, "newline", "end of the line", "LF", "a lone CR inside the line");
  if (first < 0) return;
  const count = lines.reduce((sum, line) => sum + (line.endsWith("\r") ? 1 : 0), 0);
  report(first + 1, undefined, "newline", "end of the line", "LF", `CR LF (${count} such lines)`);
}

function checkCharacters(line: number, content: string, report: Report): void {
  const nul = content.indexOf("\0");
  if (nul >= 0) report(line, undefined, "encoding", "characters", "text", `a NUL at character ${nul + 1}`);
  if (content.normalize("NFC") === content) return;
  const isComment = content.startsWith("#");
  for (const [index, value] of content.split("\t").entries()) {
    const normal = value.normalize("NFC");
    if (normal === value) continue;
    const column = isComment || index > 9 ? undefined : index + 1;
    const at = [...value].findIndex((character, position) => character !== [...normal][position]);
    const got = `${quoted(value)}, which differs from character ${at + 1} on`;
    report(line, column, "unicode-normalization", "characters", `normal form C, ${quoted(normal)}`, got);
  }
}

function checkLine(line: number, content: string, sentence: SentenceState, report: Report): void {
  if (content.startsWith("#")) {
    if (sentence.rows.length + sentence.broken > 0) {
      report(
        line,
        undefined,
        "misplaced-comment",
        "comment",
        "comments before the first word",
        quoted(content),
      );
    } else {
      sentence.comments.push({ line, text: content });
    }
    return;
  }
  if (!/^[0-9]/.test(content)) {
    sentence.broken++;
    report(line, undefined, "invalid-line", "start of the line", "a digit or #", quoted(content));
    return;
  }
  const fields = content.split("\t");
  const id = rowId(fields[0] as string, line);
  if (fields.length !== 10) {
    report(line, undefined, "column-count", "column count", "10", String(fields.length));
  }
  checkBlanks(line, fields.slice(0, 10), id?.kind === "multiword", report);
  if (id === undefined) {
    const expected = "a number from 1, a range such as 2-3, or an empty node such as 5.1";
    report(line, 1, "word-id", "ID", expected, quoted(fields[0] as string));
  }
  if (id === undefined) sentence.broken++;
  // Missing columns were reported; as "_" they draw no second complaint.
  else
    sentence.rows.push({
      id,
      fields: fields.length < 10 ? [...fields, ...Array<string>(10 - fields.length).fill("_")] : fields,
    });
}

function endSentence(
  line: number,
  content: string,
  sentence: SentenceState,
  file: FileState | undefined,
  report: Report,
): void {
  const { comments, rows, broken } = sentence;
  if (content !== "") {
    report(line, undefined, "pseudo-empty-line", "empty line", "nothing in it", quoted(content));
  }
  if (rows.length + broken === 0) {
    if (comments.length > 0)
      report(line, undefined, "empty-sentence", "sentence", "at least one word", "comments only");
    else report(line, undefined, "extra-empty-line", "line", "one empty line behind a sentence", "one more");
    return;
  }
  const firstLine = rows[0]?.id.line ?? line;
  const text = file === undefined ? undefined : checkComments(comments, firstLine, file.comments, report);
  if (broken > 0) {
    if (file !== undefined) file.comments.glued = false;
    return;
  }
  const words = rows.filter(({ id }) => id.kind === "word").length;
  if (words === 0) report(line, undefined, "empty-sentence", "sentence", "at least one word", "none");
  const ids = rows.map(({ id }) => id);
  const isInOrder = checkOrder(ids, report);
  if (file === undefined) return;
  checkColumns(rows, report);
  file.comments.glued = checkText(rows, isInOrder ? text?.text : undefined, text?.line ?? firstLine, report);
  if (!isInOrder) return;
  checkTree(rows, report);
  checkEnhancedGraph(rows, firstLine, file.enhanced, report);
}
