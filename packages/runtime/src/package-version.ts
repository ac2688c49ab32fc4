import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * The version of an installed package, undefined where it is not installed.
 *
 * Some packages keep their manifest from being imported, so it is looked for from the entry's folder upwards.
 */
export const versionOf = (name: string): string | undefined => {
  try {
    let folder = dirname(require.resolve(name));
    for (let above = dirname(folder); above !== folder; above = dirname(folder)) {
      const manifest = join(folder, "package.json");
      if (existsSync(manifest)) {
        const found = JSON.parse(readFileSync(manifest, "utf8")) as { name?: string; version?: string };
        if (found.name === name) return found.version;
      }
      folder = above;
    }
  } catch {
    // Not installed.
  }
  return undefined;
};
