import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu, sentences } from "../../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import type { ProgressEvent } from "../../src/reporter.js";

/** A temporary folder with a tiny tagger `pos`, and a labelled text `test.conllu` that has all of its labels. */
export interface TrainingFolder {
  path(name: string): string;
  /** Files and folders right in it. */
  names(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

export async function openTrainingFolder(): Promise<TrainingFolder> {
  const folder = await mkdtemp(join(tmpdir(), "nasty-workflow-test-"));
  const path = (name: string): string => join(folder, name);
  await writeTinyDirectory(path("pos"));
  await writeFile(path("test.conllu"), conllu([...sentences, "two % ."]));
  return {
    path,
    names: async () => (await readdir(folder)).toSorted(),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Options that abort an operation at the first event that matches, and the reason that it then throws. */
export function abortedAt(isPlace: (event: ProgressEvent) => boolean) {
  const controller = new AbortController();
  const reason = new Error("enough");
  const onProgress = (event: ProgressEvent): void => {
    if (isPlace(event)) controller.abort(reason);
  };
  return { reason, options: { signal: controller.signal, onProgress } };
}

/** Whether every step that began is over before the next one begins, and all are over in the end. */
export function isInOrder(events: readonly ProgressEvent[]): boolean {
  let current: string | undefined;
  for (const { step, state } of events) {
    if ((state === "begin") === (current !== undefined)) return false;
    if (state !== "begin" && step !== current) return false;
    current = state === "end" ? undefined : step;
  }
  return current === undefined;
}
