import { quoted, type Report } from "./problem.js";

/** A comment line. */
export interface Comment {
  readonly line: number;
  readonly text: string;
}

/** What comments of earlier sentences said. */
export interface CommentState {
  /** Line of each `sent_id`. */
  readonly sentenceIds: Map<string, number>;
  /** Line of each `parallel_id`, and the last alternative and part of each sentence. */
  readonly parallelIds: Map<string, number>;
  readonly alternatives: Map<string, Suffixes>;
  /** Whether the last token says that no space follows it. */
  glued: boolean;
}

interface Suffixes {
  readonly alt: number | undefined;
  readonly part: number | undefined;
}

export const startComments = (): CommentState => ({
  sentenceIds: new Map(),
  parallelIds: new Map(),
  alternatives: new Map(),
  glued: false,
});

const sentenceIdPattern = /^#\s*sent_id\s*=\s*(\S+)$/;
const parallelIdPattern =
  /^#\s*parallel_id\s*=\s*([a-z]+\/[-0-9a-z]+)(?:\/(?=[ap])(?:alt([1-9][0-9]*))?(?:part([1-9][0-9]*))?)?$/;
const textPattern = /^#\s*text\s*=\s*(.*)$/;

/**
 * Checks the comments of a sentence: one `# sent_id` that no other has, one `# text`, at most one `# parallel_id`
 * (unique, its alternatives and parts counted), `# newdoc` and `# newpar`.
 *
 * @param line line of the first row, where something is missing
 * @returns the text, where there is one, and its line
 */
export function checkComments(
  comments: readonly Comment[],
  line: number,
  state: CommentState,
  report: Report,
): Comment | undefined {
  checkSentenceId(comments, line, state, report);
  checkParallelId(comments, state, report);
  for (const name of ["newdoc", "newpar"]) {
    const found = comments.filter(({ text }) => new RegExp(`^#\\s*${name}(\\s|$)`).test(text));
    const [first, second] = found;
    if (second !== undefined)
      report(second.line, undefined, "new-document", name, "once in a sentence", `${found.length} of them`);
    if (first !== undefined && state.glued)
      report(first.line, undefined, "new-document", name, "a space behind the token before", "SpaceAfter=No");
  }
  return checkTextComment(comments, line, report);
}

function checkSentenceId(
  comments: readonly Comment[],
  line: number,
  { sentenceIds }: CommentState,
  report: Report,
): void {
  const say = (at: number, expected: string, got: string): void =>
    report(at, undefined, "sent-id", "sent_id", expected, got);
  const found: { readonly line: number; readonly id: string }[] = [];
  for (const { line: at, text } of comments) {
    const id = sentenceIdPattern.exec(text)?.[1];
    if (id !== undefined) found.push({ line: at, id });
    else if (/^# ?sent_id/.test(text)) say(at, "# sent_id = NAME without blanks", quoted(text));
  }
  const [first, second] = found;
  if (first === undefined) {
    if (!comments.some(({ text }) => /^# ?sent_id/.test(text)))
      say(line, "# sent_id = NAME before the words", "none");
    return;
  }
  if (second !== undefined) {
    say(second.line, "one in a sentence", String(found.length));
    return;
  }
  const { id } = first;
  const earlier = sentenceIds.get(id);
  if (earlier === undefined) sentenceIds.set(id, first.line);
  else say(first.line, "a name that no other sentence has", `${quoted(id)} of line ${earlier}`);
  // One may part off a language, as parallel treebanks have it.
  if (id.split("/").length > 2) say(first.line, "at most one slash", quoted(id));
}

function checkParallelId(comments: readonly Comment[], state: CommentState, report: Report): void {
  const say = (at: number, expected: string, got: string): void =>
    report(at, undefined, "parallel-id", "parallel_id", expected, got);
  const found: { readonly line: number; readonly match: RegExpExecArray }[] = [];
  for (const { line, text } of comments) {
    const match = parallelIdPattern.exec(text);
    if (match !== null) found.push({ line, match });
    else if (/^# ?parallel_id/.test(text))
      say(line, "# parallel_id = CORPUS/SENTENCE, perhaps with /altN, /partN or /altNpartN", quoted(text));
  }
  const [first, second] = found;
  if (first === undefined) return;
  if (second !== undefined) {
    say(second.line, "one in a sentence", String(found.length));
    return;
  }
  const { line, match } = first;
  const whole = match[0].slice(match[0].indexOf("=") + 1).trim();
  const earlier = state.parallelIds.get(whole);
  if (earlier !== undefined) {
    say(line, "an ID that no other sentence has", `${quoted(whole)} of line ${earlier}`);
    return;
  }
  state.parallelIds.set(whole, line);
  const sentence = match[1] as string;
  const suffixes: Suffixes = { alt: numberOf(match[2]), part: numberOf(match[3]) };
  const last = state.alternatives.get(sentence);
  state.alternatives.set(sentence, suffixes);
  for (const name of ["alt", "part"] as const) {
    const wanted = last === undefined ? 1 : last[name] === undefined ? undefined : last[name] + 1;
    const got = suffixes[name];
    // The first of a sentence may have none; then all have none.
    if (got === wanted || (last === undefined && got === undefined)) continue;
    const expected = wanted === undefined ? `no ${name}, as before` : `${name}${wanted}`;
    say(line, expected, got === undefined ? `none in ${quoted(whole)}` : quoted(whole));
  }
}

const numberOf = (digits: string | undefined): number | undefined =>
  digits === undefined ? undefined : Number(digits);

function checkTextComment(comments: readonly Comment[], line: number, report: Report): Comment | undefined {
  const found = comments.flatMap(({ line: at, text }) => {
    const value = textPattern.exec(text)?.[1];
    return value === undefined ? [] : [{ line: at, text: value }];
  });
  const [first, second] = found;
  if (first === undefined || first.text.trim() === "") {
    report(first?.line ?? line, undefined, "text", "text", "# text = SENTENCE before the words", "none");
    return undefined;
  }
  if (second !== undefined) {
    report(second.line, undefined, "text", "text", "one in a sentence", String(found.length));
    return undefined;
  }
  if (/\s$/.test(first.text))
    report(first.line, undefined, "text", "end of # text", "no blanks", quoted(first.text.slice(-20)));
  return first;
}
