import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | { readonly default: string }>>;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/**
 * Every entry of the workspace's packages with the source that it is compiled from, as the manifests say it: what a test imports from a package
 * is the source that lies there now, not what was built of it some time ago.
 *
 * @param root folder of the workspace
 */
export function sourceAliases(root: string): { find: RegExp; replacement: string }[] {
  return readdirSync(join(root, "packages")).flatMap((folder) => {
    const path = join(root, "packages", folder);
    // A folder that only a build left behind has no manifest.
    if (!existsSync(join(path, "package.json"))) return [];
    const { name, exports = {} } = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Manifest;
    return Object.entries(exports).flatMap(([entry, target]) => {
      if (typeof target === "string") return [];
      const source = target.default.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts");
      return [{ find: new RegExp(`^${escaped(name + entry.slice(1))}$`), replacement: join(path, source) }];
    });
  });
}
