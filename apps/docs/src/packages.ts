import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A package that is published. */
export interface PublicPackage {
  readonly name: string;
  /** Its folder from the root of the repository: `packages/core`. */
  readonly folder: string;
  /** Its entry points with types: what is imported (`@nasty/formats/conllu`), and the source of it from the root. */
  readonly entries: readonly { readonly name: string; readonly source: string }[];
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | { readonly default: string }>>;
}

/**
 * Lists the packages that are published, by folder.
 *
 * @param root folder of the repository
 */
export function publicPackages(root: string): PublicPackage[] {
  return ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group))
      .sort()
      .map((name) => `${group}/${name}`)
      .filter((folder) => existsSync(join(root, folder, "package.json")))
      .flatMap((folder) => {
        const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
        return manifest.private === true ? [] : [packageOf(folder, manifest)];
      }),
  );
}

function packageOf(folder: string, { name, exports = {} }: Manifest): PublicPackage {
  // An entry that is a plain path is data (`./package.json`, model files).
  const entries = Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === "string"
      ? []
      : [
          {
            name: name + entry.slice(1),
            source: `${folder}/${target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts")}`,
          },
        ],
  );
  return { name, folder, entries };
}
