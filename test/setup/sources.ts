import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | { readonly default: string }>>;
}

/** An import, and the file that is read for it. */
export interface SourceAlias {
  readonly find: RegExp;
  readonly replacement: string;
}

/**
 * Every entry of the workspace's packages with the source that it is compiled from: what a test imports from a package
 * is the source that lies there now, not what was built of it some time ago.
 *
 * @param root folder of the workspace
 */
export function sourceAliases(root: string): SourceAlias[] {
  return readdirSync(join(root, "packages")).flatMap((name) => {
    const folder = join(root, "packages", name);
    const manifest = join(folder, "package.json");
    // A folder that only a build left behind has no manifest.
    return existsSync(manifest)
      ? aliasesOf(JSON.parse(readFileSync(manifest, "utf8")) as Manifest, folder)
      : [];
  });
}

/** The entries of one package; one with a `*` stands behind those that are written out, as Node prefers them. */
export function aliasesOf({ name, exports = {} }: Manifest, folder: string): SourceAlias[] {
  return Object.entries(exports)
    .sort(([a], [b]) => Number(a.includes("*")) - Number(b.includes("*")))
    .flatMap(([entry, target]) => {
      if (typeof target === "string") return [];
      const source = target.default.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts");
      const find = new RegExp(`^${escaped(name + entry.slice(1)).replace("\\*", "(.+)")}$`);
      return [{ find, replacement: join(folder, source.replace("*", "$1")) }];
    });
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
