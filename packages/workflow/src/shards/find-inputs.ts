import { readdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { compilePattern } from "@nasty/graph/patterns";
import { InputError, UsageError } from "../errors.js";

/** A text to be tagged. */
export interface FoundInput {
  readonly path: string;
  /** Its path below the folder that all inputs have in common, with slashes. */
  readonly name: string;
}

/**
 * The files that paths, folders and globs name: in the order in which they are given, those of a folder or a glob in
 * the order of their names, each once.
 *
 * Of a folder all files below it are taken, but for hidden ones.
 *
 * @param output the folder of results, which is no input where it lies in one
 * @throws InputError for a path that does not exist, a folder or a glob without a file; UsageError for standard input
 */
export async function findInputs(given: readonly string[], output: string): Promise<readonly FoundInput[]> {
  // A file that is named twice counts once, under the path by which it was named first.
  const paths = new Map<string, string>();
  for (const one of given) {
    for (const path of await filesOf(one, resolve(output))) {
      if (!paths.has(resolve(path))) paths.set(resolve(path), path);
    }
  }
  if (paths.size === 0) {
    throw new UsageError("tag: inputs: expected files, folders or globs beside --output, got none");
  }
  const top = commonFolder([...paths.keys()]);
  return [...paths].map(([full, path]) => ({ path, name: relative(top, full).split(sep).join("/") }));
}

async function filesOf(given: string, output: string): Promise<readonly string[]> {
  if (given === "-") {
    throw new UsageError(
      "tag: inputs: expected files, folders or globs beside --output, got standard input, which cannot be read again; write it to a file first",
    );
  }
  const found = await stat(given).catch(() => undefined);
  if (found?.isDirectory()) {
    const files = await filesBelow(given, output);
    if (files.length === 0)
      throw new InputError(`tag: ${given}: expected files in it, got none; name another folder`);
    return files;
  }
  if (found !== undefined) return [given];
  if (!/[*?[{]/.test(given)) {
    throw new InputError(
      `tag: ${given}: expected a file, a folder or a glob, got nothing there; check the path`,
    );
  }
  const { folder, pattern } = splitGlob(given);
  const matches = compilePattern(`/${pattern}`);
  const isInside = (path: string): string => relative(folder, path).split(sep).join("/");
  const files = (await filesBelow(folder, output)).filter((path) => matches(isInside(path)));
  if (files.length === 0)
    throw new InputError(`tag: ${given}: expected files that match, got none; check the pattern`);
  return files;
}

/** The folder before the first wildcard, and the pattern below it. */
function splitGlob(glob: string): { readonly folder: string; readonly pattern: string } {
  const parts = glob.split("/");
  const first = parts.findIndex((part) => /[*?[{]/.test(part));
  const before = parts.slice(0, first).join("/");
  const folder = before === "" ? (glob.startsWith("/") ? "/" : ".") : before;
  return { folder, pattern: parts.slice(first).join("/") };
}

async function filesBelow(folder: string, output: string): Promise<string[]> {
  const files: string[] = [];
  if (resolve(folder) === output) return files;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".")) continue;
    const kind = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    // A link to a folder might lead in a circle.
    if (kind?.isDirectory() && !entry.isSymbolicLink()) files.push(...(await filesBelow(path, output)));
    else if (kind?.isFile()) files.push(path);
  }
  return files;
}

function commonFolder(paths: readonly string[]): string {
  const [first = "", ...others] = paths.map((path) => dirname(path).split(sep));
  let shared = [...first];
  for (const parts of others) {
    const differs = shared.findIndex((part, index) => parts[index] !== part);
    if (differs >= 0) shared = shared.slice(0, differs);
  }
  return shared.join(sep) || sep;
}
