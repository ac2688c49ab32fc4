import { slug } from "github-slugger";
import { defineConfig, type DefaultTheme } from "vitepress";
import { readRepositoryTexts } from "./markdown.js";
import { sidebar, topLinks } from "./navigation.js";
import { publicPackages } from "./packages.js";
import { listPages } from "./pages.js";
import { hasPlayground, repository, root } from "./places.js";

const pages = listPages(root);
const sources = new Map(pages.map(({ path, source }) => [path, source]));

// Nothing is loaded from, or sent to, another host: the browser refuses it. Scripts and styles in the pages are those of the theme.
const contentPolicy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Settings of vitepress. */
export const siteConfig = defineConfig({
  lang: "en",
  title: "Nasty",
  description: "Make neural taggers small and fast on plain CPUs, from TypeScript alone.",
  srcDir: ".pages",
  outDir: "site",
  cacheDir: ".pages/.cache",
  head: [["meta", { "http-equiv": "Content-Security-Policy", content: contentPolicy }]],
  markdown: {
    // Anchors are those that GitHub gives the same texts.
    anchor: { slugify: (heading) => slug(heading) },
    config: (markdown) => readRepositoryTexts(markdown, { root, repository, pages }),
  },
  transformPageData: (page) => {
    const source = sources.get(page.relativePath);
    return { frontmatter: { ...page.frontmatter, source, editLink: source !== undefined } };
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: sidebar(pages, publicPackages(root)),
    nav: topLinks(hasPlayground()),
    socialLinks: [{ icon: "github", link: repository }],
    editLink: {
      text: "The source of this page",
      // Runs in the page, so it can use nothing from here.
      pattern: ({ frontmatter }) => `https://github.com/nasty-ml/nasty/blob/main/${frontmatter["source"]}`,
    },
  } satisfies DefaultTheme.Config,
});
