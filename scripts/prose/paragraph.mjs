/** Columns of prose. */
const width = 120;

/**
 * A paragraph of prose: its lines from line `start` on (from 0), what each of them says, and what stands before the
 * text of the first line and of the others. `isWhole` is a comment that begins and ends on its one line.
 *
 * @typedef {{ start: number, lines: string[], texts: string[], first: string, rest: string, isWhole?: boolean }}
 *   Paragraph
 */

/** What would make a list, a heading, a quotation or a tag of a line that begins with it. */
const mark = /^(?:[-*+>|]|#+|\d+[.)])$|^@\w/;

/**
 * What may stand on a line of its own: words; code between backquotes, links to symbols and marks with what is before
 * them stay whole.
 */
function pieces(text) {
  const found = [];
  for (const [word] of text.matchAll(/(?:`[^`]*`|\{@link [^}]*\}|[^\s`]|`)+/g)) {
    if (found.length > 0 && mark.test(word)) found.push(`${found.pop()} ${word}`);
    else found.push(word);
  }
  return found;
}

/** Whether one of its lines is too wide and could be broken. */
export function isWide({ lines, texts }) {
  return lines.some((line, i) => line.length > width && pieces(texts[i]).length > 1);
}

/** The lines of a paragraph, none wider than its longest piece makes it. */
export function wrapped({ texts, first, rest, isWhole }) {
  const made = isWhole ? [first.trimEnd()] : [];
  let line = isWhole ? rest : first;
  let isEmpty = true;
  for (const piece of pieces(texts.join(" "))) {
    // A line that begins with one of these would be a list, a heading, a quotation or a tag.
    const isMark = /^(?:[-+*>|]|#+|\d+[.)])$|^@\w/.test(piece);
    if (!isEmpty && line.length + 1 + piece.length > width && !isMark) {
      made.push(line);
      line = rest;
      isEmpty = true;
    }
    line += isEmpty ? piece : ` ${piece}`;
    isEmpty = false;
  }
  return [...made, line, ...(isWhole ? [`${rest.slice(0, -" * ".length)} */`] : [])];
}
