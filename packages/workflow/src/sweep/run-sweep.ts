import { mkdir, readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Artifact } from "@nasty/compression/pipeline";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import { InputError } from "../errors.js";
import { checkWritable } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";
import type { Labelled, Verdict } from "../kinds/kind.js";
import { type OpenSubject, openSubject } from "../kinds/open-subject.js";
import { artifactOf } from "../recipes/artifact.js";
import { unpackFirstModel } from "../recipes/first-model.js";
import { cutTexts, describeText, hashTexts } from "../recipes/recipe-texts.js";
import { continuationOf, findEarlierRun } from "../recipes/state-file.js";
import { type RecipeContext, textPath } from "../recipes/steps/step-kind.js";
import { sweepHtml } from "../report/html/sweep-html.js";
import { writeReport } from "../report/html/write-report.js";
import { toJson } from "../report/json.js";
import type { Reporter } from "../reporter.js";
import { choiceForText } from "../texts/label-choice.js";
import type { Candidate } from "./candidate.js";
import { checkedSweep, type CheckedSweep, type SweepSettings } from "./check-sweep.js";
import { type Climbed, climb, type Climber, judgedOn, restoreFiles } from "./climb.js";
import { ladderOf, type Rung } from "./ladder.js";
import { openLocalWorker, readSamples } from "./local-worker.js";
import { measureSpeeds, type Speed } from "./measure-speed.js";
import { nameCandidates } from "./name-candidates.js";
import { openProcessWorker } from "./open-process.js";
import { parseSelection } from "./selection.js";
import type {
  FrontierRecipe,
  SelectedRecipe,
  SweepPlan,
  SweepResult,
  SweptRecipe,
  SweptStep,
} from "./sweep-result.js";
import type { WorkerSetup } from "./worker.js";
import { openPool, type WorkerPool } from "./worker-pool.js";
import { select, selectedPath, writeSelected } from "./write-selected.js";

/** What says that a folder is a sweep's. */
const stateName = "sweep.json";

/** What `sweep.plan` does, from checked settings. */
export async function planSweep(
  settings: SweepSettings,
  reporter: Reporter,
  path: string,
): Promise<SweepPlan> {
  const { sweep, context, recipes, combinations } = await checkedSweep(settings, reporter, path);
  return {
    sweep: path,
    model: sweep.model,
    output: context.folder,
    combinations,
    recipes: recipes.map((steps) => ({ steps: sweptSteps(steps) })),
  };
}

/** What `sweep` does, from checked settings. */
export async function runSweep(
  settings: SweepSettings,
  reporter: Reporter,
  path: string,
): Promise<SweepResult> {
  const checked = await checkedSweep(settings, reporter, path);
  const prepared = await prepare(checked, settings, path);
  const { context, start } = prepared;
  const candidates = await nameCandidates(checked.recipes, {
    ...prepared,
    shared: join(context.folder, "shared"),
  });
  const validation = textPath(context, "validation") as string;
  const options = { threads: context.threads, ...choiceForText(context.choice) };
  const original = await openSubject(start.path, options, [validation]);
  try {
    const samples = await readSamples(original.reading, validation);
    if (samples.length === 0) {
      throw new InputError(`sweep: ${validation}: ${original.reading.noun}: expected at least 1, got 0`);
    }
    const pool = poolFor({ ...prepared, validation, size: settings.workers }, settings, reporter);
    try {
      const trying = { ...prepared, checked, settings, candidates, original, samples, validation, pool };
      const result = await tried(trying, reporter, path);
      await writeFileAtomic(join(context.folder, "frontier.json"), [Buffer.from(`${toJson(result)}\n`)]);
      if (settings.report !== undefined) {
        await writeReport(settings.report, await sweepHtml(result, settings));
      }
      return result;
    } finally {
      await pool.close();
    }
  } finally {
    await original.subject.close();
  }
}

interface Prepared {
  /** Texts are ready to be read, and files go where recipes' files are. */
  readonly context: RecipeContext;
  readonly hashes: Awaited<ReturnType<typeof hashTexts>>;
  readonly start: Artifact;
  /** Of the recipes' files and records. */
  readonly recipesFolder: string;
  readonly isContinued: boolean;
}

/** Checks what will be written, claims the folder and makes texts and model ready. */
async function prepare(
  { sweep, first, located, context: unready }: CheckedSweep,
  settings: SweepSettings,
  path: string,
): Promise<Prepared> {
  const { report, selected } = settings;
  const { folder } = unready;
  if (report !== undefined) await checkWritable("sweep: --report", report);
  if (selected !== undefined) await checkWritable("sweep: --selected", selected);
  const read = Object.values(located).flatMap((texts) => texts.map((text) => text.path));
  await checkSeparate("sweep", { "--report": report, "--selected": selected }, [path, first.path, ...read]);
  const continuation = continuationOf(settings);
  const isEarlier = await findEarlierRun("sweep", { folder, stateName }, continuation);
  const recipesFolder = join(folder, "recipes");
  const isContinued = isEarlier && continuation !== "fresh";
  if (!isContinued) await rm(recipesFolder, { recursive: true, force: true });
  await mkdir(recipesFolder, { recursive: true });
  const state = Buffer.from(`${JSON.stringify({ schemaVersion: 1 })}\n`);
  const known = await readFile(join(folder, stateName)).catch(() => undefined);
  if (known === undefined || !known.equals(state)) await writeFileAtomic(join(folder, stateName), [state]);
  const texts = await cutTexts(sweep, located, join(folder, "data"));
  return {
    context: { ...unready, texts },
    hashes: await hashTexts(texts),
    start: await artifactOf(await unpackFirstModel(first, folder)),
    recipesFolder,
    isContinued,
  };
}

function poolFor(
  {
    context,
    recipesFolder,
    validation,
    size = availableParallelism(),
  }: Pick<Prepared, "context" | "recipesFolder"> & {
    readonly validation: string;
    readonly size: number | undefined;
  },
  { inputFormat }: SweepSettings,
  { signal }: Reporter,
): WorkerPool {
  const { reporter: _, ...plain } = context;
  const setup: WorkerSetup = {
    validation,
    choice: context.choice,
    inputFormat,
    context: { ...plain, folder: recipesFolder },
  };
  // One at a time needs no process of its own.
  const open = async () => (size === 1 ? openLocalWorker(setup, signal) : openProcessWorker(setup));
  return openPool(open, { size, signal });
}

interface Trying extends Prepared {
  readonly checked: CheckedSweep;
  readonly settings: SweepSettings;
  readonly candidates: readonly Candidate[];
  readonly original: OpenSubject;
  readonly samples: readonly Labelled[];
  readonly validation: string;
  readonly pool: WorkerPool;
}

async function tried(job: Trying, reporter: Reporter, path: string): Promise<SweepResult> {
  const { checked, settings, candidates, original, samples, validation, pool, context, start } = job;
  const { recipesFolder: folder, isContinued } = job;
  const ladder = ladderOf(samples.length, settings.rungs);
  const ask = (rung: Rung, some: readonly Labelled[]): Promise<Verdict> => {
    const doing = original.kind === "token-classification" ? "tagging" : "running";
    const step = `${doing} ${some.length} ${original.reading.noun} with the original, for rung ${rung.number}`;
    return original.subject.judge(some, { step, path: validation, scheme: context.choice.scheme }, reporter);
  };
  const climbing = { ladder, samples, ask, pool, folder, maxLoss: settings.maxLoss, isContinued };
  const climbed = await climb(candidates, climbing, reporter);
  const best = climbed.climbers.filter(({ ended }) => ended === undefined);
  const last = ladder.at(-1) as Rung;
  await restoreFiles(best, { pool, folder }, last);
  // Nothing else may run beside what is timed.
  await pool.close();
  const files = best.map(({ record }) => record.file as Artifact);
  const speeds = await measureSpeeds(
    files,
    {
      original,
      originalSha256: start.sha256,
      samples,
      validation: { path: validation, sha256: job.hashes.validation ?? "" },
      options: { threads: context.threads, seed: context.seed, ...choiceForText(context.choice) },
      folder: context.folder,
      isContinued,
    },
    reporter,
  );
  const frontier = best
    .map((climber) => frontierRecipe(climber, { last, speeds, originalBytes: original.modelBytes }))
    .toSorted((a, b) => a.bytes - b.bytes || a.loss - b.loss || (a.name < b.name ? -1 : 1));
  const selected = await chosenOf(frontier, { ...job, climbed }, reporter);
  const isLabelled = climbed.reference.metric !== null;
  return {
    sweep: path,
    model: checked.sweep.model,
    modelBytes: original.modelBytes,
    output: context.folder,
    validation: describeText(checked.sweep.data.validation?.[0]),
    metric: climbed.reference.metric ?? "agreement",
    value: isLabelled ? climbed.reference.value : 1,
    rungs: climbed.rungs,
    recipes: climbed.climbers.map((climber) => sweptRecipe(climber, ladder)),
    frontier,
    select: settings.select ?? null,
    selected: selected ?? null,
    passed: settings.select === undefined || selected?.gate.passed === true,
  };
}

async function chosenOf(
  frontier: readonly FrontierRecipe[],
  job: Trying & { readonly climbed: Climbed },
  reporter: Reporter,
): Promise<SelectedRecipe | undefined> {
  const { settings, candidates, checked, context, climbed } = job;
  if (settings.select === undefined) return undefined;
  const isWanted = parseSelection(settings.select);
  const chosen = select(frontier, isWanted, settings.prefer);
  const candidate = candidates.find(({ name }) => name === chosen?.name);
  if (chosen === undefined || candidate === undefined) return undefined;
  const { stem } = checked.first;
  const output = selectedPath(candidate, chosen, { given: settings.selected, stem, context });
  return writeSelected({ ...job, chosen, isWanted, output, reference: climbed.reference }, reporter);
}

const sweptSteps = (steps: Candidate["steps"]): SweptStep[] =>
  steps.map(({ kind, options }) => ({ kind, options }));

function sweptRecipe({ candidate, record, ended }: Climber, ladder: readonly Rung[]): SweptRecipe {
  const { name, steps, group } = candidate;
  const climbed = ladder.slice(0, ended?.rung ?? ladder.length);
  return {
    name,
    steps: sweptSteps(steps),
    group,
    bytes: record.file?.bytes ?? null,
    sha256: record.file?.sha256 ?? null,
    rungs: climbed.flatMap((rung) => {
      const judged = judgedOn(record, rung);
      if (judged === undefined) return [];
      const { samples, value, loss, low, high, flips } = judged;
      return [{ rung: rung.number, samples, value, loss, lossCi95: [low, high] as const, flips }];
    }),
    ended: ended ?? null,
  };
}

interface FrontierContext {
  readonly last: Rung;
  readonly speeds: Readonly<Record<string, Speed>>;
  readonly originalBytes: number;
}

function frontierRecipe(
  { candidate, record }: Climber,
  { last, speeds, originalBytes }: FrontierContext,
): FrontierRecipe {
  const judged = judgedOn(record, last);
  const { file } = record;
  const speed = file && speeds[file.sha256];
  if (judged === undefined || file === undefined || speed === undefined) {
    throw new TypeError(`sweep: recipe ${candidate.name} is not known to the end`);
  }
  const { value, loss, low, high, flips } = judged;
  return {
    name: candidate.name,
    steps: sweptSteps(candidate.steps),
    group: candidate.group,
    path: file.path,
    bytes: file.bytes,
    sha256: file.sha256,
    sizeRatio: originalBytes / file.bytes,
    value,
    loss,
    lossCi95: [low, high],
    flips,
    msPerSentence: speed.ms,
    speedup: speed.originalMs / speed.ms,
  };
}
