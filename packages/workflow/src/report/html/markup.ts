/** Text that is HTML already: what came from outside was escaped when it was put in. */
export type Html = string;

const escapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): Html {
  return text.replace(/[&<>"']/g, (character) => escapes[character]!);
}

/** A part of the page under a heading; nothing where there is nothing to show. */
export function section(title: string, ...parts: readonly (Html | undefined)[]): Html {
  const shown = parts.filter((part) => part !== undefined && part !== "");
  return shown.length === 0
    ? ""
    : `<section>\n<h2>${escapeHtml(title)}</h2>\n${shown.join("\n")}\n</section>\n`;
}

/** Plots side by side where there is room. */
export function plots(...drawn: readonly (Html | undefined)[]): Html {
  const shown = drawn.filter((plot) => plot !== undefined && plot !== "");
  return shown.length === 0 ? "" : `<div class="plots">\n${shown.join("\n")}\n</div>`;
}

export function paragraph(text: string): Html {
  return `<p>${escapeHtml(text)}</p>`;
}

export function htmlList(items: readonly string[]): Html {
  return items.length === 0
    ? ""
    : `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("\n")}</ul>`;
}

/** What is known, by name. */
export type Fact = readonly [name: string, value: string];

export function factTable(facts: readonly Fact[]): Html {
  const rows = facts.map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table class="facts"><tbody>${rows.join("\n")}</tbody></table>`;
}

/**
 * Rows under a head of ours. On a narrow page each cell becomes a line that begins with the head of its column: the
 * style of the page says them once, by `data-head`, instead of every cell.
 */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  if (rows.length === 0) return "";
  const cells = (tag: "td" | "th", row: readonly string[]): string =>
    row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("");
  const body = rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n");
  return `<table class="rows" data-head="${escapeHtml(head.join(" | "))}"><thead><tr>${cells("th", head)}</tr></thead><tbody>${body}</tbody></table>`;
}
