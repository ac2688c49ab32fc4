import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createMarkdownRenderer } from "vitepress";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rewriteLink, type LinkTargets } from "../src/links.js";
import { readRepositoryTexts } from "../src/markdown.js";
import { listPages } from "../src/pages.js";

const repository = "https://example.org/nasty";
let root: string;
let targets: LinkTargets;

const files = {
  "README.md": "# Home",
  "docs/guide.md": "# The `guide`\n",
  "docs/options.md": "# Options",
  "docs/plot of loss.svg": "<svg/>",
  "docs/decisions/README.md": "# Decisions",
  "docs/decisions/001-one.md": "# 001 One",
  "examples/README.md": "# Examples",
  "examples/one.mjs": "",
  "examples/recipes/a.yaml": "",
  "bench/RESULTS.md": "# Results",
  "packages/core/package.json": '{"name": "@nasty/core", "exports": {}}',
  "packages/core/README.md": "Before.\n\n# @nasty/core\n",
  "packages/core/plot.png": "",
  "apps/site/package.json": '{"name": "@nasty/site", "private": true}',
  "apps/site/README.md": "# Not published",
};

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "nasty-docs-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  targets = { root, repository, pages: listPages(root) };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("pages", () => {
  it("are the texts for readers, with the titles of their headings", () => {
    expect(listPages(root).map(({ group, source, path, title }) => [group, source, path, title])).toEqual([
      ["home", "README.md", "index.md", "Home"],
      ["decisions", "docs/decisions/001-one.md", "decisions/001-one.md", "001 One"],
      ["decisions", "docs/decisions/README.md", "decisions/index.md", "Decisions"],
      ["docs", "docs/guide.md", "guide.md", "The guide"],
      ["docs", "docs/options.md", "options.md", "Options"],
      ["docs", "examples/README.md", "examples.md", "Examples"],
      ["docs", "bench/RESULTS.md", "results.md", "Results"],
      ["packages", "packages/core/README.md", "packages/core.md", "@nasty/core"],
    ]);
  });

  it.each([
    [
      "packages/core/README.md",
      undefined,
      "docs: packages/core/README.md: file: expected a page, got no file",
    ],
    ["docs/guide.md", "no heading", 'docs: docs/guide.md: heading: expected a line "# …", got none'],
  ])("%s must be there and have a heading", (path, text, message) => {
    if (text === undefined) rmSync(join(root, path));
    else writeFileSync(join(root, path), text);
    expect(() => listPages(root)).toThrow(message);
    writeFileSync(join(root, path), files[path as keyof typeof files]);
  });
});

describe("links", () => {
  it.each([
    ["README.md", "docs/guide.md", "/guide.md"],
    ["README.md", "./docs/guide.md#what-it-gives", "/guide.md#what-it-gives"],
    ["README.md", "packages/core", "/packages/core.md"],
    ["README.md", "docs/decisions/", "/decisions/index.md"],
    ["docs/guide.md", "..", "/index.md"],
    ["docs/guide.md", "../bench/RESULTS.md", "/results.md"],
    ["docs/decisions/001-one.md", "../../packages/core/README.md#a", "/packages/core.md#a"],
    ["docs/guide.md", "../examples/one.mjs", `${repository}/blob/main/examples/one.mjs`],
    ["docs/guide.md", "../examples/recipes/", `${repository}/tree/main/examples/recipes`],
    ["README.md", "apps/site", `${repository}/tree/main/apps/site`],
    ["docs/guide.md", "plot%20of%20loss.svg", "/plot of loss.svg"],
    ["docs/guide.md", "#here", "#here"],
    ["docs/guide.md", "https://onnx.ai/x", "https://onnx.ai/x"],
    ["docs/guide.md", "mailto:a@b.c", "mailto:a@b.c"],
  ])("of %s: %s leads to %s", (source, href, target) => {
    expect(rewriteLink(source, href, targets)).toBe(target);
  });

  it.each([
    ["docs/guide.md", "gone.md"],
    ["README.md", "packages/gone"],
    ["README.md", "../other/file.md"],
  ])("of %s: %s leads nowhere", (source, href) => {
    expect(() => rewriteLink(source, href, targets)).toThrow(
      `docs: ${source}: link: expected a file of the repository, got ${href}`,
    );
  });
});

describe("texts", () => {
  const render = async (path: string, text: string): Promise<string> => {
    const markdown = await createMarkdownRenderer(root, {
      config: (reader) => readRepositoryTexts(reader, targets),
    });
    return markdown.render(text, { relativePath: path, path: join(root, path) });
  };

  it("have their links and pictures rewritten, not their code", async () => {
    const text =
      "[a](../bench/RESULTS.md#b) `[c](gone.md)` ![d](plot%20of%20loss.svg)\n\n```md\n[e](gone.md)\n```\n";
    const html = await render("guide.md", text);
    expect(html).toContain('href="/results.html#b"');
    expect(html).toContain("[c](gone.md)");
    expect(html).toContain('src="/plot of loss.svg"');
  });

  it("show braces as they are", async () => {
    expect(await render("guide.md", "Metrics {{ 1 + 1 }}.")).toContain("&#123;&#123; 1 + 1 }}");
  });

  it("have pictures that the site can show", async () => {
    await expect(render("guide.md", "![a](../packages/core/plot.png)")).rejects.toThrow(
      "docs: docs/guide.md: image: expected a picture under docs/, got ../packages/core/plot.png",
    );
  });

  it("of the API reference keep their links", async () => {
    expect(await render("api/@nasty/core.md", "[a](graph.md#b)")).toContain('href="./graph.html#b"');
  });
});
