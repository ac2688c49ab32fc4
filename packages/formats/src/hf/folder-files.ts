import { FormatError } from "../format-error.js";

/** The small files of a model's folder, wherever it is: on a disk, at an address, dropped on a page. */
export interface FolderFiles {
  /** What messages call the folder. */
  readonly folder: string;
  /** What messages call a file of it. */
  pathOf(name: string): string;
  has(name: string): Promise<boolean>;
  /** The file's bytes, unpacked. @throws FormatError `not-found` where there is none */
  read(name: string): Promise<Uint8Array>;
}

/** A text file of the folder; undefined where there is none. */
export async function readTextIfThere(files: FolderFiles, name: string): Promise<string | undefined> {
  return (await files.has(name)) ? readText(files, name) : undefined;
}

/** @throws FormatError `encoding` for what is not UTF-8; a byte order mark is left out */
export async function readText(files: FolderFiles, name: string): Promise<string> {
  const bytes = await files.read(name);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const path = files.pathOf(name);
    throw new FormatError("encoding", `openHfDirectory: ${path}: encoding: expected UTF-8, got other bytes`, {
      path,
      cause,
    });
  }
}
