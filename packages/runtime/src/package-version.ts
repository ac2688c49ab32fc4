import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * The version of an installed package, undefined where it is not installed.
 *
 * Some packages keep their manifest from being imported, so its folder is found by the entry in `dist`.
 */
export const versionOf = (name: string): string | undefined => {
  try {
    const manifest = join(dirname(require.resolve(name)), "..", "package.json");
    return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
  } catch {
    return undefined;
  }
};
