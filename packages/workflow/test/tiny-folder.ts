import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu } from "../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyLayersModel } from "../../../apps/cli/test/tiny-layers-model.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../apps/cli/test/tiny-tagger.js";
import type { ProgressEvent } from "../src/reporter.js";

/**
 * A temporary folder with a tiny model in it, `pos`, that is right for every word of `test.conllu`, and the same of
 * TensorFlow.js, `tfjs`.
 */
export interface TinyFolder {
  path(...parts: string[]): string;
  /** Every file below the folder with its content, hidden ones included. */
  snapshot(): Promise<Readonly<Record<string, string>>>;
  remove(): Promise<void>;
}

export async function openTinyFolder(): Promise<TinyFolder> {
  const folder = await mkdtemp(join(tmpdir(), "nasty-workflow-test-"));
  const path = (...parts: string[]): string => join(folder, ...parts);
  await writeTinyDirectory(path("pos"));
  await writeTinyLayersModel(path("tfjs"));
  await writeFile(path("test.conllu"), conllu());
  return {
    path,
    async snapshot() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.map(async (entry): Promise<[string, string]> => {
        const file = join(entry.parentPath, entry.name);
        return [file, entry.isFile() ? (await readFile(file)).toString("base64") : "folder"];
      });
      return Object.fromEntries(await Promise.all(files));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Options that abort as soon as a step begins whose name has a word in it, and the reason that they abort with. */
export function abortingAt(word: string) {
  const controller = new AbortController();
  const reason = new Error(`enough of ${word}`);
  const onProgress = ({ step }: ProgressEvent): void => {
    if (step.includes(word)) controller.abort(reason);
  };
  return { reason, running: { signal: controller.signal, onProgress } };
}
