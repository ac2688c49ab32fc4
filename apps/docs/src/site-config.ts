import { slug } from "github-slugger";
import { defineConfig, type DefaultTheme } from "vitepress";
import { readRepositoryTexts } from "./markdown.js";
import { sidebar, topLinks } from "./navigation.js";
import { publicPackages } from "./packages.js";
import { listPages } from "./pages.js";
import { repository, root } from "./places.js";

const pages = listPages(root);
const sources = new Map(pages.map(({ path, source }) => [path, source]));

// Nothing is loaded from, or sent to, another host: the browser refuses it. Scripts and styles in the pages are those
// of the theme.
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
  head: [
    ["meta", { "http-equiv": "Content-Security-Policy", content: contentPolicy }],
    // Without one browsers ask for a file that is not there.
    ["link", { rel: "icon", href: "data:," }],
  ],
  markdown: {
    // Anchors are those that GitHub gives the same texts.
    anchor: { slugify: (heading) => slug(heading) },
    config: (markdown) => readRepositoryTexts(markdown, { root, repository, pages }),
  },
  transformPageData: (page) => {
    const source = sources.get(page.relativePath);
    if (source !== undefined) return { filePath: source };
    return { frontmatter: { ...page.frontmatter, editLink: false } };
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: sidebar(pages, publicPackages(root)),
    nav: topLinks,
    socialLinks: [{ icon: "github", link: repository }],
    editLink: {
      text: "The source of this page",
      // A function here would reach the page as text to be evaluated, which the policy refuses.
      pattern: `${repository}/blob/main/:path`,
    },
  } satisfies DefaultTheme.Config,
});
