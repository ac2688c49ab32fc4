import { homedir } from "node:os";
import { dirname, parse, resolve, sep } from "node:path";
import { escapeHtml, type Html } from "./markup.js";

/**
 * Text without the folders of the machine: files in the working folder by their place in it, other files that were
 * given by their name.
 *
 * Only these folders are known to be folders: names of nodes (`/encoder/layer.0/MatMul`) look the same.
 *
 * @param paths files and folders of the run
 */
export function withoutFolders(page: Html, paths: readonly string[]): Html {
  const shorter = new Map<string, string>();
  const cut = (prefix: string, instead: string): void => {
    for (const written of [prefix, escapeHtml(prefix)]) shorter.set(written, instead);
  };
  cut(homedir() + sep, "~/");
  for (const path of paths) {
    const whole = resolve(path);
    if (whole === process.cwd()) cut(whole, ".");
    else if (dirname(whole) === parse(whole).root) cut(whole, whole.slice(parse(whole).root.length));
    else cut(dirname(whole) + sep, "");
  }
  cut(process.cwd() + sep, "");
  const longestFirst = [...shorter].sort(([a], [b]) => b.length - a.length);
  return longestFirst.reduce((text, [prefix, instead]) => {
    // Only where a path begins: the same letters within a longer one are another folder.
    return text.replace(new RegExp(`(?<![\\w.\\-/\\\\])${escaped(prefix)}`, "g"), () => instead);
  }, page);
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
