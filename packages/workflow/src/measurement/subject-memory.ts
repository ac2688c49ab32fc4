import { measureMemory } from "@nasty/runtime";
import type { LabelChoice } from "@nasty/taggers";
import type { Sample } from "../kinds/kind.js";
import type { OpenSubject } from "../kinds/open-subject.js";
import type { RunJob } from "./run-samples.js";
import { measureTaggerMemory } from "./tagger-memory.js";

// The compiled module, wherever this file runs from.
const module = new URL("../../dist/measurement/run-samples.js", import.meta.url);

/** Resident-set growth, in bytes, of a fresh process that opens the model and asks it. */
export async function measureSubjectMemory(
  { path, modelPath, opened, text }: OpenSubject,
  samples: readonly Sample[],
  threads: number,
  choice: LabelChoice & { readonly isSchemeOfText?: boolean },
): Promise<number> {
  if (opened !== undefined) {
    return measureTaggerMemory(path, samples as readonly (readonly string[])[], threads, choice);
  }
  const argument: RunJob = { modelPath, text, samples, threads };
  return (await measureMemory({ module, function: "runSamples", argument })).residentBytes;
}
