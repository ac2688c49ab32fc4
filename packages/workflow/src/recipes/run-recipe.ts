import { basename, join, resolve } from "node:path";
import {
  type Artifact,
  type Figures,
  noState,
  pipelineReport,
  type PipelineRun,
  planPipeline,
  type PlannedStep,
  readRecipe,
  type Recipe,
  runPipeline,
  type Score,
} from "@nasty/compression/pipeline";
import { lossInterval } from "@nasty/taggers";
import { pipelineOperation } from "../operations/files.js";
import { InputError } from "../errors.js";
import { explain } from "../explanation/explain.js";
import { choiceForText, choiceOf } from "../texts/label-choice.js";
import { loadModel } from "../models/load-model.js";
import { checkWritable } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";
import { artifactOf, isUnchanged } from "./artifact.js";
import { checkSteps } from "./steps/check-steps.js";
import { findFirstModel, type FirstModel, unpackFirstModel } from "./first-model.js";
import { evaluateModel, measureModels } from "./measure-models.js";
import { recipeHtml } from "../report/html/recipe-html.js";
import { writeReport } from "../report/html/write-report.js";
import type { PipelineResult } from "../report/recipe-text.js";
import { choiceIn } from "./recipe-choice.js";
import { readRecipeFile } from "./recipe-file.js";
import { cutTexts, describeText, hashTexts, locateTexts, type RecipeTexts } from "./recipe-texts.js";
import { continuationOf, readState, writeState } from "./state-file.js";
import { type RecipeContext, type TaggerKind, textPath } from "./steps/step-kind.js";
import { stepKind, stepKinds } from "./steps/step-kinds.js";
import type { Reporter } from "../reporter.js";
import { type GivenBeside, perform } from "../perform.js";
import type { SettingsOf } from "../schema/option.js";
import { versions } from "../versions.js";

/** What a recipe will do, with nothing run. */
export interface RecipePlan {
  readonly recipe: string;
  readonly model: string;
  /** The folder of the outputs. */
  readonly output: string;
  readonly steps: readonly PlannedStep[];
}

/** What a recipe did: every model that it wrote, against the first one. */
export interface RecipeResult extends PipelineResult {
  /** False where a step refused its own work; outputs of the steps before it are kept. */
  readonly passed: boolean;
}

type RecipeSettings = SettingsOf<typeof pipelineOperation.options>;

/**
 * Checks a recipe, runs its steps one after the other, each on what the one before it wrote, and reports all models
 * side by side. A second run goes on behind the last finished step whose inputs are unchanged.
 *
 * @param path the recipe, a YAML file
 * @returns all models; `passed` is false where a step's accuracy gate refused its model
 * @throws CompressionError `invalid-recipe` with line and column for a recipe that is not right; what a step throws
 * @example
 * ```ts
 * const { stages } = await runRecipe("mobile.yaml", { output: "mobile", resume: true });
 * ```
 */
export function runRecipe(
  path: string,
  options: GivenBeside<typeof pipelineOperation.options, never> = {},
): Promise<RecipeResult> {
  return perform(pipelineOperation, { ...options }, (settings, reporter) =>
    runRecipeSteps(settings, reporter, path),
  );
}

/** Checks a recipe and says what it will do; nothing is run. */
runRecipe.plan = (
  path: string,
  options: GivenBeside<typeof pipelineOperation.options, never> = {},
): Promise<RecipePlan> =>
  perform(pipelineOperation, { ...options }, (settings, reporter) => planRecipe(settings, reporter, path));

/** A recipe that was read and checked, and everything that its steps need to know. */
interface CheckedRecipe {
  readonly recipe: Recipe;
  readonly first: FirstModel;
  readonly located: RecipeTexts;
  /** Texts are not cut yet. */
  readonly context: RecipeContext;
}

async function checkedRecipe(
  settings: RecipeSettings,
  reporter: Reporter,
  path: string,
): Promise<CheckedRecipe> {
  const recipe = readRecipe(await readRecipeFile(path, "pipeline"), schemas, path);
  const first = await findFirstModel(recipe, path);
  const located = await locateTexts(recipe, path);
  const folder = resolve(settings.output ?? `pipeline-${basename(path).replace(/\.ya?ml$/i, "")}`);
  const choice = choiceIn(recipe, settings);
  const { tagger } = await loadModel(first.path, choiceForText(choice));
  const { seed, threads } = settings;
  const context: RecipeContext = {
    texts: located,
    folder,
    task: tagger?.task,
    choice,
    tagger: tagger?.kind,
    seed,
    threads,
    reporter,
  };
  await checkSteps(recipe, context);
  return { recipe, first, located, context };
}

/** {@link runRecipe.plan} from checked settings. */
export async function planRecipe(
  settings: RecipeSettings,
  reporter: Reporter,
  path: string,
): Promise<RecipePlan> {
  const { recipe, first, context } = await checkedRecipe(settings, reporter, path);
  const steps = planOf(recipe, first, { hashes: {}, tagger: context.tagger });
  return { recipe: path, model: recipe.model, output: context.folder, steps };
}

/** {@link runRecipe} from checked settings. */
export async function runRecipeSteps(
  settings: RecipeSettings,
  reporter: Reporter,
  path: string,
): Promise<RecipeResult> {
  const { recipe, first, located, context: unready } = await checkedRecipe(settings, reporter, path);
  const { folder, tagger, seed } = unready;
  const { report } = settings;
  const test = tagger === undefined ? undefined : textPath(unready, "test");
  if (report !== undefined) await checkWritable("pipeline: --report", report);
  const read = Object.values(located).flatMap((texts) => texts.map((text) => text.path));
  await checkSeparate("pipeline", { "--report": report }, [path, first.path, ...read]);
  const state = await readState(folder, continuationOf(settings));
  await writeState(folder, state);

  const context = { ...unready, texts: await cutTexts(recipe, located, join(folder, "data")) };
  const hashes = await hashTexts(context.texts);
  const start = await artifactOf(await unpackFirstModel(first, folder));
  const run = await runSteps(planOf(recipe, first, { hashes, tagger }), { context, start, state, hashes });
  const figures = await figuresOf(run, { context, hashes });
  const result: RecipeResult = {
    recipe: path,
    model: recipe.model,
    output: folder,
    test: test === undefined ? null : describeText(recipe.data.test?.[0]),
    ...pipelineReport(run, { figures, lossInterval: (a, b) => intervalOf(a, b, seed) }),
    passed: run.refused === null,
  };
  if (report !== undefined) {
    await writeReport(report, await recipeHtml(result, settings));
  }
  return result;
}

const schemas = stepKinds.map(({ schema }) => schema);

type Hashes = Awaited<ReturnType<typeof hashTexts>>;

function planOf(
  recipe: Recipe,
  { stem }: FirstModel,
  { hashes, tagger }: { readonly hashes: Hashes; readonly tagger: TaggerKind },
): readonly PlannedStep[] {
  let current = tagger;
  return planPipeline(recipe, {
    schemas,
    dataHashes: hashes,
    stem,
    outputNameOf({ kind, options }, input) {
      const step = stepKind(kind);
      const name = step.outputNameOf(options, input, {
        has: (text) => recipe.data[text] !== undefined,
        tagger: current,
      });
      current = step.taggerOf?.(options) ?? current;
      return name;
    },
    makesModel: ({ kind }) => stepKind(kind).makesModel,
  });
}

interface Running {
  readonly context: RecipeContext;
  readonly start: Artifact;
  readonly state: typeof noState;
  readonly hashes: Hashes;
}

async function runSteps(
  steps: readonly PlannedStep[],
  { context, start, state, hashes }: Running,
): Promise<PipelineRun> {
  const { reporter, folder, seed } = context;
  const test = context.task === undefined ? undefined : textPath(context, "test");
  const title = ({ number, kind }: PlannedStep): string => `step ${number} of ${steps.length}: ${kind}`;
  return runPipeline(steps, {
    start,
    state,
    environment: { versions: versions(), seed, task: context.task, ...choiceOf(context.choice) },
    isUnchanged,
    save: (changed) => writeState(folder, changed),
    ...(test !== undefined && {
      evaluate: async ({ path }) => {
        const { metric, value, sentenceCounts } = await evaluateModel(path, {
          test,
          ...context,
        });
        return { metric, value, counts: sentenceCounts };
      },
      evaluationKey: hashes.test ?? "",
    }),
    onStep(step, status) {
      if (status === "begins") reporter.note(title(step));
      if (status === "skipped") reporter.note(`${title(step)}: done by an earlier run, unchanged`);
    },
    functions: Object.fromEntries(
      stepKinds.map((kind) => [
        kind.schema.name,
        async (job) => {
          try {
            return await kind.run(job, context);
          } catch (error) {
            throw named(job.step, error);
          }
        },
      ]),
    ),
  });
}

/** An error of a step says which one it was. */
function named({ number, kind }: PlannedStep, error: unknown): unknown {
  const { code, message } = explain(error);
  return code === 1
    ? error
    : new InputError(`step ${number} (${kind}): ${message}; outputs of the steps before it are kept`, {
        cause: error,
      });
}

function intervalOf(first: Score, later: Score, seed: number): readonly [number, number] {
  type Counts = Parameters<typeof lossInterval>[1];
  const metric = first.metric as Parameters<typeof lossInterval>[0];
  const { low, high } = lossInterval(metric, first.counts as Counts, later.counts as Counts, { seed });
  return [low, high];
}

/** Speed and memory of every model of a run by its content, those of an earlier run where nothing changed. */
async function figuresOf(
  { stages, state }: PipelineRun,
  { context, hashes }: Pick<Running, "context" | "hashes">,
): Promise<ReadonlyMap<string, Figures>> {
  const test = context.task === undefined ? undefined : textPath(context, "test");
  if (test === undefined) return new Map();
  const models = new Map<string, Artifact>();
  for (const { output } of stages) if (output !== null) models.set(output.sha256, output);
  const key = JSON.stringify([hashes.test, context.threads, ...models.keys()]);
  const figures =
    state.measured?.key === key
      ? state.measured.figures
      : await measureModels([...models.values()], { test, ...context });
  if (state.measured?.key !== key) await writeState(context.folder, { ...state, measured: { key, figures } });
  return new Map([...models.keys()].map((sha256, index) => [sha256, figures[index] as Figures]));
}
