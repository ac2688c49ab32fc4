import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the repository. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Folder of this app, where vitepress finds its settings. */
export const app = join(root, "apps/docs");

/** Where the pages lie while they are built: copies of the repository's texts, and the API reference. */
export const staged = join(app, ".pages");

/** Where the built site is written. */
export const site = join(app, "site");

/** Built files of the playground, where they are copied to, and whether they are there. */
export const playground = join(root, "apps/playground/dist");
export const stagedPlayground = join(staged, "public/playground");
export const hasPlayground = (): boolean => existsSync(join(stagedPlayground, "index.html"));

/** What has no page is shown in the repository. */
export const repository = "https://github.com/nasty-ml/nasty";
