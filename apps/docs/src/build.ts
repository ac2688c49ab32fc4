// Builds the site and checks it: exit code 1 with what is wrong if a page is missing, a link leads nowhere, or a page
// loads from another host.
import { existsSync, rmSync } from "node:fs";
import { build } from "vitepress";
import { apiPage, writeApiReference } from "./api-reference.js";
import { browseSite, browser } from "./browse-site.js";
import { checkSite } from "./built-site.js";
import { publicPackages } from "./packages.js";
import { listPages } from "./pages.js";
import { app, root, site, staged } from "./places.js";
import { stageTexts } from "./stage.js";

const packages = publicPackages(root);
stageTexts();
await writeApiReference(root, packages, staged);
rmSync(site, { recursive: true, force: true });
try {
  await build(app);
} catch (error) {
  // The bundler's error has the page in its message, and much that is about itself beside it.
  process.stderr.write(`docs: the site was not built\n${(error as Error).message}\n`);
  process.exit(1);
}

const pages = [
  ...listPages(root).map(({ path }) => path),
  ...packages.flatMap(({ entries }) => entries.map(({ name }) => apiPage(name))),
];
const { faults, files, links } = checkSite(site, pages);
if (existsSync(browser)) {
  const opened = [
    "playground/index",
    "api/@nasty/core",
    "packages/core",
    "decisions/index",
    "guide",
    "index",
  ];
  const paths = opened.map((name) => `${name}.html`);
  faults.push(...(await browseSite(site, paths, "quantize")));
}
// A link beside every page is at fault in every page.
for (const fault of faults.slice(0, 30)) process.stderr.write(`docs: ${fault}\n`);
if (faults.length > 0) {
  process.stderr.write(`docs: faults: expected none, got ${faults.length}\n`);
  process.exit(1);
}
process.stdout.write(`docs: ${files} pages with ${links} links, none of them dead: ${site}\n`);
if (!existsSync(browser))
  process.stdout.write(
    `docs: not opened in a browser: ${browser} is not there (apt-get install chromium, or set CHROMIUM)\n`,
  );
