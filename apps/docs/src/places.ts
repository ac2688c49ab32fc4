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

/** Where the playground's built files are, and where the site has them. */
export const playground = join(root, "apps/playground/site");
export const stagedPlayground = join(staged, "public/playground");

/** What has no page is shown in the repository. */
export const repository = "https://github.com/nasty-ml/nasty";
