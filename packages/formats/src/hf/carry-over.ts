import { copyFile, link, lstat, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isStale } from "../archive/unfinished.js";
import { FormatError } from "../format-error.js";

/**
 * Gives a folder everything of another that it does not have: files by hard links, or copies where the file system has
 * none.
 *
 * @throws FormatError `unwritable` where one has a folder and the other a file of the same name
 */
export async function carryOver(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (await isStale(source)) continue;
    const there = await lstat(target).catch(() => undefined);
    if (there !== undefined && there.isDirectory() !== entry.isDirectory()) {
      const [expected, got] = entry.isDirectory() ? ["a folder", "a file"] : ["a file", "a folder"];
      throw new FormatError(
        "unwritable",
        `writeHfDirectory: ${source}: expected ${got} or nothing, got ${expected}`,
        { path: source },
      );
    }
    if (entry.isDirectory()) {
      if (there === undefined) await mkdir(target, { mode: (await lstat(source)).mode & 0o7777 });
      await carryOver(source, target);
    } else if (there === undefined) {
      await carryFile(source, target, entry.isSymbolicLink());
    }
  }
}

async function carryFile(source: string, target: string, isLink: boolean): Promise<void> {
  if (isLink) return symlink(await readlink(source), target);
  await link(source, target).catch(async (error: NodeJS.ErrnoException) => {
    // Removed by another in the meantime, or put there by one.
    if (error.code === "ENOENT" || error.code === "EEXIST") return;
    await copyFile(source, target);
  });
}

/** Whether one of the files lies in a subfolder that is a link: then it is another folder that is to be written. */
export async function leadsThroughLink(folder: string, names: readonly string[]): Promise<boolean> {
  for (const below of new Set(names.map(dirname))) {
    if (below === ".") continue;
    const found = await lstat(join(folder, below)).catch(() => undefined);
    if (found?.isSymbolicLink() === true) return true;
  }
  return false;
}
