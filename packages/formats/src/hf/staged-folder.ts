import { renameSync } from "node:fs";
import { access, chmod, constants, mkdir, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { removeStale, temporaryPath, trackUnfinished } from "../archive/unfinished.js";
import { syncFolder } from "../archive/write-file-atomic.js";
import { FormatError } from "../format-error.js";
import { carryOver, leadsThroughLink } from "./carry-over.js";
import { recoverFolder } from "./recover-folder.js";

/** A hidden folder whose files take their places when all of them are whole. */
export interface StagedFolder {
  readonly path: string;
  /**
   * Puts the files in place: the whole folder takes the name at once, and what else an existing one holds comes along.
   *
   * @param names every file, relative to the folder
   */
  commit(names: readonly string[]): Promise<void>;
  /** Removes what was staged, and the folders that were made for it. */
  discard(): Promise<void>;
}

/**
 * Makes a hidden folder beside `target`; it is removed also when the process exits, and by the next run where the
 * process was killed.
 *
 * A folder that cannot be renamed (a mount, the working folder, one whose parent may not be written) gets its files one
 * by one instead: `config.json` goes first and comes last, so that a crash between leaves no folder that can be read,
 * rather than one of mixed files.
 *
 * @throws FormatError `unwritable`
 */
export async function stageFolder(operation: string, target: string): Promise<StagedFolder> {
  await recoverFolder(target);
  const final = await realpath(target).catch(() => resolve(target));
  const found = await stat(final).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) {
    throw unwritable(operation, target, "expected a folder, got a file");
  }
  const swaps = found === undefined || (await canBeRenamed(final));
  const path = temporaryPath(swaps ? final : join(final, "staged"));
  await removeStale(dirname(path), true);
  if (found !== undefined) await removeStale(final, true);
  const forget = trackUnfinished(path);
  // Not mkdtemp: the folder may become the target, which others may read.
  const firstMade = await mkdir(path, { recursive: true }).catch((cause: Error) => {
    forget();
    throw unwritable(operation, target, `expected a folder that can be made, got ${cause.message}`, cause);
  });
  const putInPlace = async (names: readonly string[]): Promise<void> => {
    const move = { operation, from: path, to: final, names };
    if (found === undefined) await rename(path, final);
    else if (!swaps || (await leadsThroughLink(final, names))) await moveInto(move);
    else await swap(move, found.mode & 0o7777);
  };
  return {
    path,
    async commit(names) {
      try {
        await putInPlace(names);
      } catch (cause) {
        if (cause instanceof FormatError) throw cause;
        const got = (cause as Error).message;
        throw unwritable(operation, target, `expected a writable place, got ${got}`, cause);
      }
      await syncFolder(dirname(final));
      await rm(path, { recursive: true, force: true });
      forget();
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
      forget();
    },
  };
}

/** Whether a folder can be put aside and another take its name, as far as can be seen before it is tried. */
async function canBeRenamed(folder: string): Promise<boolean> {
  const parent = dirname(folder);
  // A shell that stands in the folder would be left in one that is removed.
  const fromHere = relative(folder, process.cwd());
  if (fromHere === "" || !(fromHere.startsWith("..") || resolve(fromHere) === fromHere)) return false;
  const [own, above] = await Promise.all([stat(folder), stat(parent)]);
  if (own.dev !== above.dev || parent === folder) return false;
  return access(parent, constants.W_OK).then(
    () => true,
    () => false,
  );
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
  readonly operation: string;
  readonly from: string;
  readonly to: string;
  readonly names: readonly string[];
}

/**
 * The staged folder with everything else of the old one takes its name. A crash between the renames leaves the old one
 * beside it.
 */
async function swap(move: Move, mode: number): Promise<void> {
  const { from, to } = move;
  await keepModes(move);
  await carryOver(to, from);
  await chmod(from, mode);
  for (const folder of foldersOf(move, from)) await syncFolder(folder);
  const old = temporaryPath(to, "old");
  try {
    // Nothing of this process comes between the two, an exit neither.
    renameSync(to, old);
  } catch {
    // A system that does not rename folders in use.
    return moveInto(move);
  }
  try {
    renameSync(from, to);
  } catch (error) {
    renameSync(old, to);
    throw error;
  }
  const forget = trackUnfinished(old);
  await syncFolder(dirname(to));
  // What others put into the folder while it was replaced.
  await carryOver(old, to);
  await rm(old, { recursive: true, force: true });
  forget();
}

/** Files one by one: all old ones are put aside before, and come back when one cannot be moved. */
async function moveInto(move: Move): Promise<void> {
  const { from, to, names } = move;
  await keepModes(move);
  const aside = join(from, ".aside");
  const isConfig = (name: string): boolean => name === "config.json";
  const first = [...names.filter(isConfig), ...names.filter((name) => !isConfig(name))];
  const undo: (() => Promise<void>)[] = [];
  const put = async (source: string, destination: string): Promise<void> => {
    await mkdir(dirname(destination), { recursive: true });
    await rename(source, destination);
    undo.unshift(() => rename(destination, source));
  };
  try {
    for (const name of first) {
      if (await exists(join(to, name))) await put(join(to, name), join(aside, name));
    }
    for (const name of first.toReversed()) await put(join(from, name), join(to, name));
  } catch (error) {
    for (const step of undo) await step().catch(() => undefined);
    throw error;
  }
  for (const folder of foldersOf(move, to)) await syncFolder(folder);
}

/** New files get the modes of those whose places they take. */
async function keepModes({ operation, from, to, names }: Move): Promise<void> {
  for (const name of names) {
    const there = await stat(join(to, name)).catch(() => undefined);
    if (there === undefined) continue;
    // Seen before the first file moves: a folder in the way must not leave half of the files changed.
    if (!there.isFile()) {
      throw unwritable(operation, join(to, name), "expected a regular file or a new one, got something else");
    }
    await chmod(join(from, name), there.mode & 0o777);
  }
}

const foldersOf = ({ names }: Move, root: string): ReadonlySet<string> =>
  new Set([...names.map((name) => dirname(join(root, name))), root]);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function unwritable(operation: string, path: string, what: string, cause?: unknown): FormatError {
  return new FormatError("unwritable", `${operation}: ${path}: ${what}`, { path, cause });
}
