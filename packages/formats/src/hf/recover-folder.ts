import { rename, stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { isStale, temporariesOf } from "../archive/unfinished.js";

/** A swap of folders takes two renames, which no process needs this long for. */
const LONGEST_SWAP_MS = 2000;
const POLL_MS = 5;

/**
 * Makes good what a crash between the two renames of a swap left: where a folder is missing and the old one lies beside
 * it under its temporary name, that one gets its name back. A swap that a living process is just doing is waited for.
 */
export async function recoverFolder(path: string): Promise<void> {
  for (const end = Date.now() + LONGEST_SWAP_MS; ; await setTimeout(POLL_MS)) {
    if ((await stat(path).catch(() => undefined)) !== undefined) return;
    const old = await newestOf(await temporariesOf(path, "old"));
    if (old === undefined) return;
    if ((await isStale(old)) || Date.now() > end) {
      // Two that recover at once: one of them finds it done.
      await rename(old, path).catch(() => undefined);
      return;
    }
  }
}

/** The one that was renamed last: older ones were replaced before. */
async function newestOf(paths: readonly string[]): Promise<string | undefined> {
  let newest: { path: string; ctimeMs: number } | undefined;
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || (newest !== undefined && found.ctimeMs <= newest.ctimeMs)) continue;
    newest = { path, ctimeMs: found.ctimeMs };
  }
  return newest?.path;
}

const MOST_ATTEMPTS = 8;

/**
 * Reads several files of a folder so that all are of one state of it: where the folder was swapped for another
 * meanwhile, once more.
 *
 * @param path the folder, or a path below which nothing is swapped: then it is read once
 * @param discard what to do with a result that is not used
 */
export async function readUnchanged<T>(
  path: string,
  read: () => Promise<T>,
  discard: (result: T) => Promise<void> = async () => {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    await recoverFolder(path);
    const before = await identityOf(path);
    const isLast = attempt >= MOST_ATTEMPTS;
    let result: T;
    try {
      result = await read();
    } catch (error) {
      if (isLast || (await identityOf(path)) === before) throw error;
      continue;
    }
    if (isLast || (await identityOf(path)) === before) return result;
    await discard(result);
  }
}

/** Tells one folder from another that took its name. */
async function identityOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? "" : `${found.dev}:${found.ino}:${found.birthtimeMs}`;
}
