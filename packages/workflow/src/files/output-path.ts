import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../errors.js";

/**
 * Fails before the work, not after it, when a file could not be written.
 *
 * @param option the option that names the file, for messages
 * @throws InputError when the path is a folder, or its folder does not exist or cannot be written to
 */
export async function checkWritable(option: string, path: string): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory()) {
    throw new InputError(`${option} ${path}: expected a file, got a folder; name the file`);
  }
  if (existing !== undefined && !existing.isFile()) {
    throw new InputError(
      `${option} ${path}: expected a regular file or a new one, got a device; name another file`,
    );
  }
  const folder = dirname(path);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new InputError(
      `${option} ${path}: expected a folder ${folder}, got ${found === undefined ? "nothing" : "a file"} there; make the folder or name another file`,
    );
  }
  try {
    await access(folder, constants.W_OK);
    if (existing !== undefined) await access(path, constants.W_OK);
  } catch {
    throw new InputError(
      `${option} ${path}: expected a file that may be written, got no permission; name another file`,
    );
  }
}

/**
 * Fails before the work when a folder could not be made or written into; nothing is made.
 *
 * @param option the option that names the folder, for messages
 * @throws InputError when the path, or the nearest folder above it that exists, is no folder or cannot be written to
 */
export async function checkFolder(option: string, path: string): Promise<void> {
  let existing = path;
  let found = await stat(existing).catch(() => undefined);
  while (found === undefined && dirname(existing) !== existing) {
    existing = dirname(existing);
    found = await stat(existing).catch(() => undefined);
  }
  if (found?.isDirectory() !== true) {
    throw new InputError(
      `${option} ${path}: expected a folder that can be made, got a file at ${existing}; name another folder`,
    );
  }
  await access(existing, constants.W_OK).catch(() => {
    throw new InputError(
      `${option} ${path}: expected a folder that can be made, got no permission in ${existing}; name another folder`,
    );
  });
}

/** Whether two paths lead to one file, by links or otherwise. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino;
}
