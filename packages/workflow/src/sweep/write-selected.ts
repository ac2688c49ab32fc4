import { basename, join, resolve } from "node:path";
import { compressionOfName } from "@nasty/formats/archive";
import { readModelFile } from "@nasty/formats/onnx/node";
import { writeCandidate } from "../files/candidate.js";
import type { Labelled, Verdict } from "../kinds/kind.js";
import { openSubject } from "../kinds/open-subject.js";
import type { RecipeContext } from "../recipes/steps/step-kind.js";
import type { Reporter } from "../reporter.js";
import { choiceForText } from "../texts/label-choice.js";
import type { Candidate } from "./candidate.js";
import { judgedBy } from "./local-worker.js";
import type { Figures, Selection } from "./selection.js";
import type { FrontierRecipe, SelectedRecipe } from "./sweep-result.js";
import { sweepStep } from "./sweep-steps.js";

/** What can be said of a file before it is written. */
export function figuresOf({ loss, bytes, speedup }: FrontierRecipe): Figures {
  return { loss, size: bytes, speed: speedup };
}

/** The smallest or the fastest of the files that are wanted; undefined if none is. */
export function select(
  frontier: readonly FrontierRecipe[],
  isWanted: Selection,
  prefer: "smallest" | "fastest",
): FrontierRecipe | undefined {
  const bySize = (a: FrontierRecipe, b: FrontierRecipe): number =>
    a.bytes - b.bytes || a.loss - b.loss || (a.name < b.name ? -1 : 1);
  const bySpeed = (a: FrontierRecipe, b: FrontierRecipe): number => b.speedup - a.speedup || bySize(a, b);
  return frontier
    .filter((one) => isWanted(figuresOf(one)))
    .toSorted(prefer === "fastest" ? bySpeed : bySize)
    .at(0);
}

interface SelectedJob {
  readonly chosen: FrontierRecipe;
  readonly isWanted: Selection;
  readonly output: string;
  readonly samples: readonly Labelled[];
  readonly validation: string;
  /** What the original said to the samples. */
  readonly reference: Verdict;
  readonly context: RecipeContext;
}

/**
 * Writes the chosen file under its name once it is seen to do, as it was written, what it was chosen for: it is judged
 * again on the whole validation text, beside the bytes that it has.
 */
export async function writeSelected(job: SelectedJob, reporter: Reporter): Promise<SelectedRecipe> {
  const { chosen, isWanted, samples, validation, reference, context } = job;
  const candidate = await writeCandidate(job.output, await readModelFile(chosen.path));
  try {
    const options = { threads: context.threads, ...choiceForText(context.choice) };
    const { subject } = await openSubject(candidate.path, options, [validation]);
    const step = `judging the chosen file on ${samples.length} samples`;
    const asking = { step, path: validation, scheme: context.choice.scheme, reference };
    let judged: ReturnType<typeof judgedBy>;
    try {
      judged = judgedBy(await subject.judge(samples, asking, reporter), reference, context.seed);
    } finally {
      await subject.close();
    }
    const { bytes } = await candidate.seal();
    const { value, loss, low, high, flips } = judged;
    const passed = isWanted({ loss, size: bytes, speed: chosen.speedup });
    const isLabelled = reference.metric !== null;
    return {
      name: chosen.name,
      output: passed ? await candidate.commit() : null,
      gate: {
        metric: reference.metric ?? "agreement",
        original: isLabelled ? reference.value : 1,
        quantized: value,
        loss,
        lossCi95: [low, high],
        flips,
        passed,
      },
    };
  } finally {
    await candidate.discard();
  }
}

const endings = { gzip: ".gz", brotli: ".br" } as const;

/** Where the chosen file is to be; what its recipe compresses is compressed. */
export function selectedPath(
  { steps }: Candidate,
  { path }: FrontierRecipe,
  {
    given,
    stem,
    context,
  }: { readonly given: string | undefined; readonly stem: string; readonly context: RecipeContext },
): string {
  const compression = compressionOfName(basename(path));
  if (given !== undefined) {
    const ending = compression === undefined ? "" : endings[compression];
    return resolve(given.endsWith(ending) ? given : `${given}${ending}`);
  }
  let name = `${stem}.onnx`;
  const facts = {
    has: (text: keyof RecipeContext["texts"]) => context.texts[text] !== undefined,
    tagger: context.tagger,
  };
  for (const step of steps) name = sweepStep(step.kind).outputNameOf(step.options, name, facts) ?? name;
  return join(context.folder, name);
}
