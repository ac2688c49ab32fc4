import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../exit-codes.js";

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

/** Whether two paths lead to one file, by links or otherwise. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino;
}
