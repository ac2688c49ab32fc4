// Builds the site and checks it: exit code 1 with what is wrong if a page is missing, a link leads nowhere, or a page loads from another host.
import { rmSync } from "node:fs";
import { build } from "vitepress";
import { apiPage, writeApiReference } from "./api-reference.js";
import { checkSite } from "./built-site.js";
import { publicPackages } from "./packages.js";
import { listPages } from "./pages.js";
import { app, hasPlayground, root, site, staged } from "./places.js";
import { stageTexts } from "./stage.js";

const packages = publicPackages(root);
stageTexts();
await writeApiReference(root, packages, staged);
rmSync(site, { recursive: true, force: true });
await build(app);

const pages = [
  ...listPages(root).map(({ path }) => path),
  ...packages.flatMap(({ entries }) => entries.map(({ name }) => apiPage(name))),
];
const { faults, files, links } = checkSite(site, pages);
// A link beside every page is at fault in every page.
for (const fault of faults.slice(0, 30)) process.stderr.write(`docs: ${fault}\n`);
if (faults.length > 0) {
  process.stderr.write(`docs: faults: expected none, got ${faults.length}\n`);
  process.exit(1);
}
process.stdout.write(
  `docs: ${files} pages, ${links} links in them checked, nothing loaded from another host: ${site}\n`,
);
if (!hasPlayground()) process.stdout.write("docs: left out: the playground, apps/playground/dist is not built\n");
