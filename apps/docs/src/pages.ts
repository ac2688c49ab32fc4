import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { publicPackages } from "./packages.js";

/** A text of the repository that is a page of the site. */
export interface Page {
  readonly group: "home" | "docs" | "packages" | "decisions";
  /** The file from the root of the repository: `packages/core/README.md`. */
  readonly source: string;
  /** The page's file from the root of the site: `packages/core.md`. */
  readonly path: string;
  /** Its first heading, without marks. */
  readonly title: string;
}

/**
 * Lists the pages that are texts of the repository: README (the home page), everything under `docs/`, examples,
 * results, and the README of each published package.
 *
 * @param root folder of the repository
 * @throws Error if one of them is not there, or has no heading
 */
export function listPages(root: string): Page[] {
  const page = (group: Page["group"], source: string, path: string): Page => ({
    group,
    source,
    path,
    title: titleOf(root, source),
  });
  const texts = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".md"))
    .sort();
  return [
    page("home", "README.md", "index.md"),
    ...texts.map((name) =>
      page(
        name.startsWith("decisions/") ? "decisions" : "docs",
        `docs/${name}`,
        name.replace(/(^|\/)README\.md$/, "$1index.md"),
      ),
    ),
    page("docs", "examples/README.md", "examples.md"),
    page("docs", "bench/RESULTS.md", "results.md"),
    ...publicPackages(root).map(({ folder }) => page("packages", `${folder}/README.md`, `${folder}.md`)),
  ];
}

function titleOf(root: string, source: string): string {
  const path = join(root, source);
  if (!existsSync(path)) throw new Error(`docs: ${source}: file: expected a page, got no file`);
  const heading = readFileSync(path, "utf8").match(/^# (.+)$/m)?.[1];
  if (heading === undefined) throw new Error(`docs: ${source}: heading: expected a line "# …", got none`);
  return heading.replaceAll("`", "").trim();
}
