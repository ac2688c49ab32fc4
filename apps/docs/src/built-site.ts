import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { Parser } from "htmlparser2";

/** What a check of a built site found. */
export interface SiteCheck {
  /** One sentence each; none if the site is good. */
  readonly faults: string[];
  readonly files: number;
  readonly links: number;
}

/** What of an HTML file the check looks at. */
interface Html {
  readonly ids: ReadonlySet<string>;
  readonly links: readonly string[];
  /** Addresses that the browser loads by itself. */
  readonly loaded: readonly string[];
}

/**
 * Checks the files of a site: every page is there, links between them lead to a file and to an anchor in it, and
 * nothing is loaded from another host.
 *
 * @param site folder of the built files
 * @param pages Markdown files that must have become pages, from the root of the site: `packages/core.md`
 */
export function checkSite(site: string, pages: readonly string[]): SiteCheck {
  const names = readdirSync(site, { recursive: true, encoding: "utf8" }).map((name) =>
    name.replaceAll("\\", "/"),
  );
  const html = new Map(
    names
      .filter((name) => name.endsWith(".html"))
      .map((name) => [name, parseHtml(readFileSync(join(site, name), "utf8"))]),
  );
  const faults = pages
    .map((path) => path.replace(/\.md$/, ".html"))
    .filter((name) => !html.has(name))
    .map((name) => `${name}: page: expected one, got none`);
  let links = 0;
  for (const [name, page] of html) {
    for (const address of [...page.links, ...page.loaded]) {
      links++;
      const fault = linkFault(site, html, name, address);
      if (fault !== undefined) faults.push(`${name}: link: expected ${fault}, got ${address}`);
    }
    for (const address of page.loaded.filter(isElsewhere)) faults.push(loadFault(name, address));
  }
  for (const name of names.filter((one) => one.endsWith(".css"))) {
    for (const address of cssAddresses(readFileSync(join(site, name), "utf8")))
      if (isElsewhere(address)) faults.push(loadFault(name, address));
  }
  return { faults: [...new Set(faults)], files: html.size, links };
}

const isElsewhere = (address: string): boolean => /^(https?:|wss?:)?\/\//i.test(address);

const loadFault = (name: string, address: string): string =>
  `${name}: loaded file: expected one of the site, got ${address}`;

const cssAddresses = (css: string): string[] =>
  [...css.matchAll(/url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)/g)].map((match) => match[1] ?? match[2]!);

/** What a link should have led to, or undefined if it is right or leads out of the site. */
function linkFault(
  site: string,
  html: ReadonlyMap<string, Html>,
  from: string,
  address: string,
): string | undefined {
  if (isElsewhere(address) || /^[a-z][a-z+.-]*:/i.test(address)) return undefined;
  const [, written = "", fragment = ""] = /^([^#?]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(address) ?? [];
  const path = decodeURI(written);
  const target = path === "" ? from : fileOf(site, posix.join("/", posix.dirname(from), path), path);
  if (!existsSync(join(site, target))) return "a file of the site";
  const anchor = decodeURIComponent(fragment);
  if (anchor === "" || !html.has(target) || html.get(target)!.ids.has(anchor)) return undefined;
  return `an anchor of ${target}`;
}

/** The file that a server sends for a path. */
function fileOf(site: string, relative: string, path: string): string {
  const name = (path.startsWith("/") ? posix.normalize(path) : relative).slice(1);
  const isFolder = name === "" || name.endsWith("/") || isDirectory(join(site, name));
  return isFolder ? posix.join(name, "index.html") : name;
}

const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

function parseHtml(text: string): Html {
  const ids = new Set<string>();
  const links: string[] = [];
  const loaded: string[] = [];
  const parser = new Parser({
    onopentag(tag, { id, name, href, src, srcset, poster, data, style }) {
      if (id !== undefined) ids.add(id);
      if (tag === "a" && name !== undefined) ids.add(name);
      if (href !== undefined) (tag === "link" ? loaded : links).push(href);
      for (const address of [src, poster, tag === "object" ? data : undefined])
        if (address !== undefined) loaded.push(address);
      for (const one of srcset?.split(",") ?? []) loaded.push(one.trim().split(/\s/)[0]!);
      if (style !== undefined) loaded.push(...cssAddresses(style));
    },
  });
  parser.end(text);
  return { ids, links, loaded };
}
