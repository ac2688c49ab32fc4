import { mkdir, readdir, readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import {
  noState,
  parsePipelineState,
  type PipelineState,
  serializePipelineState,
} from "@nasty/compression/pipeline";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import { InputError } from "../errors.js";

const stateName = "pipeline.json";

/** What to do about an earlier run: go on with it where there is one, demand one, or begin again. */
export type Continuation = "if-possible" | "resume" | "fresh";

/**
 * What an earlier run left in an output folder.
 *
 * @throws as {@link findEarlierRun}
 */
export async function readState(folder: string, continuation: Continuation): Promise<PipelineState> {
  const isEarlier = await findEarlierRun("pipeline", { folder, stateName }, continuation);
  if (!isEarlier || continuation === "fresh") return noState;
  const path = join(folder, stateName);
  const state = parsePipelineState(await readFile(path, "utf8"), path);
  return withPaths(state, (output) => resolve(folder, output));
}

/**
 * Whether an earlier run left its state in an output folder.
 *
 * @throws InputError for a folder with files of something else, and for a run that is to go on and is not there
 */
export async function findEarlierRun(
  operation: string,
  { folder, stateName: state }: { readonly folder: string; readonly stateName: string },
  continuation: Continuation,
): Promise<boolean> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (names.includes(state)) return true;
  if (continuation === "resume") {
    throw new InputError(
      `${operation}: --resume: ${folder}: expected an earlier run (${state}), got none; leave --resume out, or name the folder with --output`,
    );
  }
  if (names.length > 0) {
    throw new InputError(
      `${operation}: --output ${folder}: expected an empty folder, a new one, or that of an earlier run, got ${names[0]} in it; name another folder`,
    );
  }
  return false;
}

/** What `--resume` and `--fresh` ask for. */
export function continuationOf({
  resume,
  fresh,
}: {
  readonly resume?: boolean | undefined;
  readonly fresh?: boolean | undefined;
}): Continuation {
  return fresh === true ? "fresh" : resume === true ? "resume" : "if-possible";
}

export async function writeState(folder: string, state: PipelineState): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Relative: a folder may be moved.
  const kept = withPaths(state, (output) => relative(folder, output));
  const bytes = new TextEncoder().encode(serializePipelineState(kept));
  await writeFileAtomic(join(folder, stateName), [bytes]);
}

function withPaths(state: PipelineState, change: (path: string) => string): PipelineState {
  const steps = state.steps.map((step) =>
    step.output === null ? step : { ...step, output: { ...step.output, path: change(step.output.path) } },
  );
  return { ...state, steps };
}
