import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { isFigure } from "./links.js";
import { listPages } from "./pages.js";
import { playground, root, staged, stagedPlayground } from "./places.js";

/** Lays the repository's texts and pictures out as the pages of the site, and the playground's built files. */
export function stageTexts(): void {
  rmSync(staged, { recursive: true, force: true });
  for (const { source, path } of listPages(root)) copy(join(root, source), join(staged, path));
  for (const name of readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })) {
    const path = `docs/${name.replaceAll("\\", "/")}`;
    if (isFigure(path)) copy(join(root, path), join(staged, "public", path.slice("docs/".length)));
  }
  cpSync(playground, stagedPlayground, { recursive: true });
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
