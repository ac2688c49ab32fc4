import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readFileMaybeCompressed } from "../archive/read-file.js";
import type { FolderFiles } from "./folder-files.js";
import { readSentenceModules, type SentenceModules } from "./sentence-modules.js";
import { type HfTokenizer, readTokenizerOf } from "./read-tokenizer.js";

/** The files of a folder on disk. */
export const filesOnDisk = (folder: string): FolderFiles => ({
  folder,
  pathOf: (name) => join(folder, name),
  has: (name) =>
    stat(join(folder, name)).then(
      () => true,
      () => false,
    ),
  read: (name) => readFileMaybeCompressed(join(folder, name)),
});

/**
 * Reads what the sentence-transformers library keeps beside a model: see `SentenceModules`.
 *
 * @returns undefined for a directory without such files
 * @throws FormatError `json`, `schema`
 */
export const readModulesOf = (folder: string): Promise<SentenceModules | undefined> =>
  readSentenceModules(filesOnDisk(folder));

/**
 * Reads the tokenizer of a directory: see `readTokenizerOf`.
 *
 * @throws FormatError as `readTokenizerOf`
 */
export const readTokenizer = (folder: string): Promise<HfTokenizer> => readTokenizerOf(filesOnDisk(folder));
