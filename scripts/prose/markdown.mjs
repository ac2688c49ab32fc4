const fence = /^ *(```|~~~)/;
const notProse = /^ *(?:\||#|<|\[[^\]]+\]: )|^ *(?:-{3,}|={3,})$|^ {4,}\S/;
const indented = /^ {4}/;
const item = /^ *(?:[-*+]|\d+[.)]) +/;

/**
 * Paragraphs of a Markdown text: tables, headings, blocks of code and front matter are none.
 *
 * @param {readonly string[]} lines
 * @returns {import("./paragraph.mjs").Paragraph[]}
 */
export function markdownParagraphs(lines) {
  const paragraphs = [];
  let open;
  let isCode = false;
  let i = lines[0] === "---" ? lines.indexOf("---", 1) + 1 : 0;
  for (; i < lines.length; i++) {
    const line = lines[i];
    if (fence.test(line)) isCode = !isCode;
    const isList = item.test(line);
    const continues = open !== undefined && !isList;
    const isCut = isCode || fence.test(line) || line.trim() === "";
    if (isCut || (notProse.test(line) && !(continues && indented.test(line)))) {
      open = undefined;
      continue;
    }
    if (continues) {
      open.lines.push(line);
      open.texts.push(line.trim().replace(/^> /, ""));
      continue;
    }
    const first = isList ? item.exec(line)[0] : /^ *(?:> )?/.exec(line)[0];
    const rest = isList ? " ".repeat(first.length) : first;
    open = { start: i, lines: [line], texts: [line.slice(first.length).trim()], first, rest };
    paragraphs.push(open);
  }
  return paragraphs;
}
