import { quoted, type Report } from "./problem.js";
import type { RowId } from "./validate-order.js";

const FORM = 1;
const MISC = 9;
const noSpace = "SpaceAfter=No";

/**
 * Checks that the forms of a sentence spell its text, and that `SpaceAfter=No` stands where the text has no space.
 *
 * @param text value of `# text`, undefined where there is none or more than one: then only the attribute itself is
 *   checked
 * @param textLine line of that comment
 * @returns whether the last token says that no space follows
 */
export function checkText(
  rows: readonly { readonly id: RowId; readonly fields: readonly string[] }[],
  text: string | undefined,
  textLine: number,
  report: Report,
): boolean {
  let rest = text;
  let inside = 0;
  let glued = false;
  for (const { id, fields } of rows) {
    const misc = fields[MISC] as string;
    checkAttribute(id.line, misc, report);
    const says = misc.includes("SpaceAfter=No");
    if (id.kind === "empty" || (id.kind === "word" && id.id <= inside)) {
      // A node of the graph is no part of the text, and the token as a whole says what follows it.
      const of = id.kind === "empty" ? "an empty node" : "a word inside a multiword token";
      if (says) report(id.line, MISC + 1, "space-after", `MISC of ${of}`, "no SpaceAfter", noSpace);
      continue;
    }
    if (id.kind === "multiword") inside = id.last;
    glued = misc.split("|").includes(noSpace);
    if (rest === undefined) continue;
    const form = fields[FORM] as string;
    if (!rest.startsWith(form)) {
      const found = rest === "" ? "the end of the text" : quoted(rest.slice(0, form.length + 20));
      report(id.line, FORM + 1, "text", "form", `${found}, which # text has here`, quoted(form));
      rest = undefined;
      continue;
    }
    rest = rest.slice(form.length);
    if (glued) continue;
    if (rest !== "" && !/^\s/.test(rest)) {
      const got = `none, though # text continues with ${quoted(rest.slice(0, 20))}`;
      report(id.line, MISC + 1, "space-after", "MISC", noSpace, got);
    }
    rest = rest.trimStart();
  }
  if (rest !== undefined && rest !== "")
    report(textLine, undefined, "text", "end of # text", "the end behind the last form", quoted(rest));
  return glued;
}

function checkAttribute(line: number, misc: string, report: Report): void {
  if (misc.includes("NoSpaceAfter=Yes"))
    report(line, MISC + 1, "space-after", "MISC", noSpace, "NoSpaceAfter=Yes");
  for (const item of misc.split("|")) {
    if (item.startsWith("SpaceAfter=") && item !== noSpace)
      report(line, MISC + 1, "space-after", "value of SpaceAfter", "No", quoted(item));
  }
}
