import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import type { Page } from "./pages.js";

/** Where a link of a text leads. */
export interface LinkTargets {
  /** Folder of the repository. */
  readonly root: string;
  /** Address of the repository, for files that have no page. */
  readonly repository: string;
  readonly pages: readonly Page[];
}

/** A file under `docs/` that is not a text is shown by texts and lies beside the pages. */
export const isFigure = (path: string): boolean => /^docs\/.+\.(svg|png|jpe?g|webp|avif|gif)$/.test(path);

/**
 * Turns a link between files of the repository into one between pages: to the page of the file, or of the folder's
 * README; to the repository, if it has none. Pictures under `docs/` lie beside the pages. Links to other hosts and
 * inside the page stay.
 *
 * @param source the file that has the link, from the root of the repository
 * @param href the link as it is written there
 * @throws Error if it leads to a file that is not there
 */
export function rewriteLink(source: string, href: string, { root, repository, pages }: LinkTargets): string {
  if (/^[a-z][a-z+.-]*:|^\/\/|^#/i.test(href)) return href;
  const [, written = "", fragment = ""] = /^([^#]*)(#.*)?$/s.exec(href) ?? [];
  const path = posix.join(posix.dirname(source), decodeURI(written)).replace(/\/$/, "");
  if (path.startsWith("..") || !existsSync(join(root, path)))
    throw new Error(`docs: ${source}: link: expected a file of the repository, got ${href}`);
  const folder = statSync(join(root, path)).isDirectory();
  const readme = path === "." ? "README.md" : `${path}/README.md`;
  const page = pages.find((one) => one.source === (folder ? readme : path));
  if (page !== undefined) return `/${page.path}${fragment}`;
  if (isFigure(path)) return `/${path.slice("docs/".length)}`;
  return `${repository}/${folder ? "tree" : "blob"}/main/${encodeURI(path)}${fragment}`;
}
