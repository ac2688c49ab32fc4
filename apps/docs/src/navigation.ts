import type { DefaultTheme } from "vitepress";
import { apiPage } from "./api-reference.js";
import type { PublicPackage } from "./packages.js";
import type { Page } from "./pages.js";

/** The contents of the site, shown beside every page. */
export function sidebar(
  pages: readonly Page[],
  packages: readonly PublicPackage[],
): DefaultTheme.SidebarItem[] {
  const group = (name: Page["group"]): DefaultTheme.SidebarItem[] =>
    pages.filter((page) => page.group === name).map(({ title, path }) => ({ text: title, link: `/${path}` }));
  return [
    { text: "Overview", items: [...group("home"), ...group("docs")] },
    { text: "Packages", items: group("packages") },
    {
      text: "API reference",
      collapsed: true,
      items: packages.flatMap(({ entries }) =>
        entries.map(({ name }) => ({ text: name, link: `/${apiPage(name)}` })),
      ),
    },
    { text: "Decisions", collapsed: true, items: group("decisions") },
  ];
}

/** The links above every page. */
export const topLinks: DefaultTheme.NavItem[] = [
  { text: "Guide", link: "/guide" },
  { text: "API", link: "/api/" },
  { text: "Results", link: "/results" },
  // A page of its own, not one of this app's.
  { text: "Playground", link: "/playground/index.html", target: "_self" },
];
