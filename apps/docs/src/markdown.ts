import type { MarkdownRenderer } from "vitepress";
import { rewriteLink, type LinkTargets } from "./links.js";

/**
 * Adds to the reader of Markdown what the repository's texts need on the site: their links lead to pages, and their
 * braces are text, not expressions of the page's framework. Links of the API reference are between pages as they stand.
 */
export function readRepositoryTexts(markdown: MarkdownRenderer, targets: LinkTargets): void {
  const sources = new Map(targets.pages.map(({ path, source }) => [path, source]));
  markdown.core.ruler.push("repository-links", ({ tokens, env }) => {
    const source = sources.get((env as { relativePath?: string }).relativePath ?? "");
    if (source === undefined) return;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const attribute = token.type === "image" ? "src" : "href";
      const link = token.attrGet(attribute);
      if (link === null) continue;
      const target = rewriteLink(source, link, targets);
      if (token.type === "image" && !target.startsWith("/"))
        throw new Error(`docs: ${source}: image: expected a picture under docs/, got ${link}`);
      token.attrSet(attribute, target);
    }
  });
  const { text } = markdown.renderer.rules;
  if (text === undefined) throw new Error("docs: markdown: renderer of text: expected one, got none");
  markdown.renderer.rules.text = (...all) => text(...all).replaceAll("{{", "&#123;&#123;");
}
