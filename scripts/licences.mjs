// The licences of the libraries that a bundle holds: they go where their code goes.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The folder of the package that a file belongs to. */
const packageOf = (path) =>
  existsSync(join(path, "package.json")) && /"version"/.test(readFileSync(join(path, "package.json"), "utf8"))
    ? path
    : packageOf(dirname(path));

/**
 * Name, version and licence texts of each library in a bundle.
 *
 * @param files paths that the bundler took code from, relative to this process's folder
 */
export function licencesOf(files) {
  const libraries = new Set(
    files.filter((path) => path.includes("node_modules")).map((path) => packageOf(dirname(resolve(path)))),
  );
  return [...libraries].sort().map((library) => {
    const { name, version, license } = JSON.parse(readFileSync(join(library, "package.json"), "utf8"));
    const texts = readdirSync(library)
      .filter((file) => /^(licen[cs]e|notice)/i.test(file))
      .map((file) => readFileSync(join(library, file), "utf8").trim());
    return [`${name} ${version} (${license})`, ...texts].join("\n\n");
  });
}
