import { createHash, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

/** What a temporary path is for: `tmp` is thrown away, `old` is what stood at a name before it was replaced. */
type TemporaryKind = "tmp" | "old";

/** The parts of a temporary name. */
interface TemporaryName {
  /** What it is a temporary of; a hash where that name is very long. */
  readonly base: string;
  readonly host: string;
  readonly pid: number;
  readonly kind: TemporaryKind;
}

/** Whatever process it belongs to, nobody works a week on one file. */
const LONGEST_LIFE_MS = 7 * 24 * 3600 * 1000;
/** File names may have 255 bytes; what is put around the base takes fewer than 40. */
const LONGEST_BASE = 200;

const pattern = /^\.(.+)\.([0-9a-f]{6})-([0-9]{1,10})-[0-9a-f]{8}\.(tmp|old)$/;
const thisHost = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);

/** Paths that this process has begun and not finished: removed also when the process leaves early. */
const unfinished = new Set<string>();
const watchers = new Set<(any: boolean) => void>();
const swept = new Set<string>();

function baseOf(path: string): string {
  const base = basename(resolve(path));
  if (Buffer.byteLength(base) <= LONGEST_BASE) return base;
  return createHash("sha256").update(base).digest("hex");
}

/**
 * A hidden name beside a path that says which process it belongs to, so that a later one can tell whether that lives.
 */
export function temporaryPath(path: string, kind: TemporaryKind = "tmp"): string {
  const name = `.${baseOf(path)}.${thisHost}-${process.pid}-${randomBytes(4).toString("hex")}.${kind}`;
  return join(dirname(resolve(path)), name);
}

/** The temporaries of one kind that lie beside a path and belong to it. */
export async function temporariesOf(path: string, kind: TemporaryKind): Promise<string[]> {
  const folder = dirname(resolve(path));
  const base = baseOf(path);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => {
      const parts = parseTemporary(name);
      return parts?.base === base && parts.kind === kind;
    })
    .map((name) => join(folder, name));
}

function parseTemporary(name: string): TemporaryName | undefined {
  const [, base, host, pid, kind] = pattern.exec(name) ?? [];
  if (base === undefined || host === undefined) return undefined;
  return { base, host, pid: Number(pid), kind: kind as TemporaryKind };
}

/** Whether a path is a temporary whose process is gone. */
export async function isStale(path: string): Promise<boolean> {
  const parts = parseTemporary(basename(path));
  if (parts === undefined || unfinished.has(path)) return false;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  const age = Date.now() - Math.max(found.mtimeMs, found.ctimeMs);
  if (age > LONGEST_LIFE_MS) return true;
  if (parts.host !== thisHost) return false;
  // A container starts its processes with the same numbers each time.
  if (parts.pid === process.pid) return age > process.uptime() * 1000;
  return !isAlive(parts.pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Removes the temporaries that dead processes left in a folder.
 *
 * @param again look also where this process has looked before: not for what is done for each of thousands of files
 */
export async function removeStale(folder: string, again = false): Promise<void> {
  const where = resolve(folder);
  if (swept.has(where) && !again) return;
  swept.add(where);
  for (const name of await readdir(where).catch(() => [])) {
    const parts = parseTemporary(name);
    if (parts === undefined) continue;
    const path = join(where, name);
    // The only copy of what was to be replaced; see `recoverFolder`.
    if (parts.kind === "old" && (await isMissing(join(where, parts.base)))) continue;
    if (await isStale(path)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

const isMissing = (path: string): Promise<boolean> =>
  stat(path).then(
    () => false,
    () => true,
  );

function removeAll(): void {
  for (const path of unfinished) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // Nothing more can be done on the way out; the next run removes it.
    }
  }
}

/** Counts a path as unfinished until the function that is returned is called: an orderly exit removes it. */
export function trackUnfinished(path: string): () => void {
  if (unfinished.size === 0) process.once("exit", removeAll);
  unfinished.add(path);
  if (unfinished.size === 1) for (const watcher of watchers) watcher(true);
  return () => {
    if (!unfinished.delete(path) || unfinished.size > 0) return;
    process.removeListener("exit", removeAll);
    for (const watcher of watchers) watcher(false);
  };
}

/**
 * Says whenever this process begins to have unfinished files, and when it has none any more: while there are some, a
 * signal should lead to an orderly exit, which removes them.
 *
 * @param watcher called with `true` when the first is begun and with `false` when the last is done
 * @example
 * ```ts
 * watchUnfinished((any) => (any ? process.on("SIGTERM", leave) : process.off("SIGTERM", leave)));
 * ```
 */
export function watchUnfinished(watcher: (any: boolean) => void): void {
  watchers.add(watcher);
  if (unfinished.size > 0) watcher(true);
}

/** A hidden folder for unfinished files. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Makes a hidden folder for unfinished files; it goes with the process, and what a killed process left is removed by
 * the next one that makes one in the same place.
 *
 * @param path the file or folder that it is made for, beside which it lies; a bare name is made in the system's folder
 *   for temporaries
 * @throws the system's error where no folder can be made
 * @example
 * ```ts
 * const { path, remove } = await makeTemporaryFolder("out/model.onnx"); // out/.model.onnx.….tmp
 * ```
 */
export async function makeTemporaryFolder(path: string): Promise<TemporaryFolder> {
  const made = temporaryPath(basename(path) === path ? join(tmpdir(), path) : path);
  await removeStale(dirname(made));
  const forget = trackUnfinished(made);
  try {
    await mkdir(made, { mode: 0o700 });
  } catch (error) {
    forget();
    throw error;
  }
  return {
    path: made,
    async remove() {
      await rm(made, { recursive: true, force: true });
      forget();
    },
  };
}
