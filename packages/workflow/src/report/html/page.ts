import { escapeHtml, factTable, type Html, section } from "./markup.js";
import { pageStyle } from "./page-style.js";
import { type Run, runFacts } from "./run.js";
import { withoutFolders } from "./short-paths.js";

/**
 * One self-contained page: no scripts, no fonts, nothing loaded from elsewhere, no folder of the machine that made it.
 */
export function htmlPage(title: string, run: Run, body: Html): string {
  const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escapeHtml(title)}</title>
<style>${pageStyle}${headStyles(body)}
</style></head><body>
<h1>${escapeHtml(title)}</h1>
${body}${section("How it was made", factTable(runFacts(run)))}</body></html>
`;
  return withoutFolders(page, run.paths);
}

/** On a narrow page each cell is a line that begins with the head of its column. */
function headStyles(body: Html): string {
  const heads = new Set([...body.matchAll(/ data-head="([^"]*)"/g)].map(([, head = ""]) => head));
  const rules = [...heads].flatMap((head) =>
    head
      .split(" | ")
      .map((cell, column) =>
        cell === ""
          ? ""
          : `[data-head="${head}"] td:nth-child(${column + 1})::before { content: "${cell}"; }`,
      ),
  );
  return `\n@media (max-width: 44rem) {\n${rules.filter((rule) => rule !== "").join("\n")}\n}`;
}
