const slashes = /^ *\/\/ (?=\S)/;
const starred = /^ *\* (?=\s*\S)/;
const oneLine = /^( *)\/\*\* (.*?) \*\/$/;
const begins = /^ *\/\*\*?$/;
const ends = /\*\/$/;
/** What begins something new inside a comment: a tag, an item of a list. */
const tag = /^@\w/;
const item = /^(?:[-*+]|\d+[.)]) /;
/** Orders to tools, formulas and tables: not prose. */
const notProse = /^(?:biome-|oxlint-|@ts-|#region|#endregion|\/ <| {4}|\|)/;

/**
 * Paragraphs of the comments that stand on lines of their own. Tables, formulas and examples between fences are none.
 *
 * @param {readonly string[]} lines
 * @returns {import("./paragraph.mjs").Paragraph[]}
 */
export function commentParagraphs(lines) {
  const paragraphs = [];
  let isBlock = false;
  let isFenced = false;
  let open;
  for (const [i, line] of lines.entries()) {
    const whole = oneLine.exec(line);
    if (!isBlock && whole !== null) {
      const [, indent, said] = whole;
      const around = { first: `${indent}/** `, rest: `${indent} * `, isWhole: true };
      paragraphs.push({ start: i, lines: [line], texts: [said], ...around });
      open = undefined;
      continue;
    }
    if (begins.test(line) || (isBlock && ends.test(line))) {
      isBlock = begins.test(line);
      isFenced = false;
      open = undefined;
      continue;
    }
    const marker = (isBlock ? starred : slashes).exec(line)?.[0];
    const text = line.slice(marker?.length ?? 0);
    const isFence = marker !== undefined && text.trim().startsWith("```");
    if (isFence) isFenced = !isFenced;
    if (marker === undefined || isFence || isFenced || notProse.test(text)) {
      open = undefined;
      continue;
    }
    const isNew = tag.test(text) || item.test(text);
    if (open !== undefined && !isNew && open.marker === marker) {
      open.lines.push(line);
      open.texts.push(text.trim());
      continue;
    }
    const rest = isNew ? `${marker}  ` : marker;
    open = { start: i, lines: [line], texts: [text.trim()], first: marker, rest, marker };
    paragraphs.push(open);
  }
  return paragraphs;
}
