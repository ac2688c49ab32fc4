import { randomBytes } from "node:crypto";
import { rmdirSync, rmSync } from "node:fs";
import { chmod, mkdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { syncFolder } from "../archive/write-file-atomic.js";
import { FormatError } from "../format-error.js";

/** A hidden folder whose files take their places when all of them are whole. */
export interface StagedFolder {
  readonly path: string;
  /**
   * Puts the files in place: the whole folder by one rename where there was none, else file by file in the order given.
   *
   * @param names every file, relative to the folder
   */
  commit(names: readonly string[]): Promise<void>;
  /** Removes what was staged, and the folders that were made for it. */
  discard(): Promise<void>;
}

/**
 * Makes a hidden folder inside `target`, or beside it where it does not exist; it is removed also when the process exits.
 *
 * @throws FormatError `unwritable`
 */
export async function stageFolder(operation: string, target: string): Promise<StagedFolder> {
  const final = resolve(target);
  const found = await stat(final).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) {
    throw unwritable(operation, target, "expected a folder, got a file");
  }
  const name = `.${basename(final)}.${randomBytes(6).toString("hex")}.tmp`;
  const path = found === undefined ? join(dirname(final), name) : join(final, name);
  // Not mkdtemp: the folder may become the target, which others may read.
  const firstMade = await mkdir(path, { recursive: true }).catch((cause: Error) => {
    throw unwritable(operation, target, `expected a folder that can be made, got ${cause.message}`, cause);
  });
  const removeOnExit = (): void => {
    rmSync(path, { recursive: true, force: true });
    for (const folder of madeFolders(path, firstMade)) {
      try {
        rmdirSync(folder);
      } catch {
        return;
      }
    }
  };
  process.once("exit", removeOnExit);
  return {
    path,
    async commit(names) {
      try {
        if (found === undefined) {
          await rename(path, final);
        } else {
          await moveInto(operation, { from: path, to: final, names });
          await rm(path, { recursive: true, force: true });
        }
      } catch (cause) {
        if (cause instanceof FormatError) throw cause;
        throw unwritable(
          operation,
          target,
          `expected a writable place, got ${(cause as Error).message}`,
          cause,
        );
      }
      await syncFolder(dirname(final));
      process.removeListener("exit", removeOnExit);
    },
    async discard() {
      await rm(path, { recursive: true, force: true });
      for (const folder of madeFolders(path, firstMade)) {
        const removed = await rmdir(folder).then(
          () => true,
          () => false,
        );
        if (!removed) break;
      }
      process.removeListener("exit", removeOnExit);
    },
  };
}

/** Folders above the staged one that had to be made, the innermost first. */
function madeFolders(path: string, firstMade: string | undefined): string[] {
  const folders: string[] = [];
  if (firstMade === undefined) return folders;
  for (let folder = dirname(path); folder.length >= firstMade.length; folder = dirname(folder)) {
    folders.push(folder);
  }
  return folders;
}

interface Move {
  readonly from: string;
  readonly to: string;
  readonly names: readonly string[];
}

async function moveInto(operation: string, { from, to, names }: Move): Promise<void> {
  for (const name of names) {
    const there = await stat(join(to, name)).catch(() => undefined);
    if (there === undefined) continue;
    // Seen before the first file moves: a folder in the way must not leave half of the files changed.
    if (!there.isFile()) {
      throw unwritable(operation, join(to, name), "expected a regular file or a new one, got something else");
    }
    await chmod(join(from, name), there.mode & 0o777);
  }
  for (const name of names) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    await rename(join(from, name), join(to, name));
  }
  for (const folder of new Set(names.map((name) => dirname(join(to, name))))) await syncFolder(folder);
}

function unwritable(operation: string, path: string, what: string, cause?: unknown): FormatError {
  return new FormatError("unwritable", `${operation}: ${path}: ${what}`, { path, cause });
}
