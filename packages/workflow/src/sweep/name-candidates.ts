import { mkdir } from "node:fs/promises";
import type { Artifact, DataName, PlannedStep, RecipeStep } from "@nasty/compression/pipeline";
import { InputError } from "../errors.js";
import { hashOf, isUnchanged } from "../recipes/artifact.js";
import { modeOfStep } from "../recipes/steps/model-steps.js";
import type { RecipeContext } from "../recipes/steps/step-kind.js";
import { choiceOf } from "../texts/label-choice.js";
import { versions } from "../versions.js";
import { type Candidate, identityOf } from "./candidate.js";
import { readRecord, writeRecord } from "./record.js";
import { type LastStep, withSharedRanges } from "./shared-ranges.js";
import { sweepStep } from "./sweep-steps.js";

interface Naming {
  readonly start: Artifact;
  /** SHA-256 of the texts, by name. */
  readonly hashes: Readonly<Partial<Record<DataName, string>>>;
  /** Texts are ready to be read. */
  readonly context: RecipeContext;
  /** For what recipes share. */
  readonly shared: string;
}

/**
 * Names recipes by hash, and does what several of them share once: the models that their last steps work on, and the
 * ranges of activations.
 *
 * @throws what a step before the last one throws; InputError where it refuses its file
 */
export async function nameCandidates(
  recipes: readonly (readonly RecipeStep[])[],
  naming: Naming,
): Promise<readonly Candidate[]> {
  const { start, context, shared } = naming;
  await mkdir(shared, { recursive: true });
  const made = new Map<string, Artifact>();
  const lasts: (LastStep & { readonly steps: readonly RecipeStep[] })[] = [];
  for (const steps of recipes) {
    let input = start;
    for (const step of steps.slice(0, -1)) {
      const name = nameOf(steps.slice(0, steps.indexOf(step) + 1), naming);
      input = made.get(name) ?? (await makeShared(step, { name, input, context, folder: shared }));
      made.set(name, input);
    }
    lasts.push({ steps, step: steps.at(-1) as RecipeStep, input });
  }
  const ready = await withSharedRanges(lasts, context, shared);
  return ready.map(({ steps, step, input }): Candidate => {
    const name = nameOf(steps, naming);
    return { name, steps, input, group: groupOf(step, context), last: planned(step, name) };
  });
}

/** By all that decides on a recipe's file and on what it is judged to be. */
function nameOf(steps: readonly RecipeStep[], { start, hashes, context }: Naming): string {
  const texts = Object.entries(hashes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { choice, seed } = context;
  const about = { texts, seed, choice: choiceOf(choice), versions: versions() };
  return hashOf([start.sha256, identityOf(steps), JSON.stringify(about)]).slice(0, 16);
}

function planned(step: RecipeStep, name: string): PlannedStep {
  const { compress } = step.options;
  const ending = compress === "gzip" ? ".gz" : compress === "brotli" ? ".br" : "";
  return { ...step, outputName: `${name}.onnx${ending}`, data: {} };
}

/** Recipes are compared with those of their mode: what the same kernels run is as fast as it is small. */
function groupOf({ kind, options }: RecipeStep, { texts }: RecipeContext): string {
  return kind === "quantize" ? modeOfStep(options, (name) => texts[name] !== undefined) : "float";
}

interface SharedStep {
  readonly name: string;
  readonly input: Artifact;
  readonly context: RecipeContext;
  readonly folder: string;
}

async function makeShared(step: RecipeStep, { name, input, context, folder }: SharedStep): Promise<Artifact> {
  const record = await readRecord(folder, name);
  if (record.file !== undefined && (await isUnchanged(record.file))) return record.file;
  const job = { step: planned(step, name), input, isInterrupted: false, stages: [] };
  const done = await sweepStep(step.kind).run(job, { ...context, folder });
  if (done.kind === "refused") throw new InputError(`sweep: ${done.message}`);
  const file = done.output as Artifact;
  await writeRecord(folder, name, { file, refused: undefined, judged: {} });
  return file;
}
