import { readFile, stat } from "node:fs/promises";
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
  recipeError,
  type RecipeText,
  type RecipeWord,
  runPipeline,
  type Score,
} from "@nasty/compression/pipeline";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import { type LabelChoice, lossInterval } from "@nasty/taggers";
import { labelOptions, longName, readValue, type ValueOption } from "@nasty/workflow/operations";
import { GateError, InputError } from "@nasty/workflow/errors";
import { explain } from "../explain.js";
import { choiceForText, choiceOf } from "@nasty/workflow/texts/label-choice";
import { loadModel } from "@nasty/workflow/models/load-model";
import { checkWritable } from "@nasty/workflow/files/output-path";
import { checkSeparate } from "@nasty/workflow/files/separate-paths";
import { artifactOf, isUnchanged } from "@nasty/workflow/recipes/artifact";
import { checkSteps } from "../pipeline/check-steps.js";
import { findFirstModel, type FirstModel, unpackFirstModel } from "../pipeline/first-model.js";
import { evaluateModel, measureModels } from "@nasty/workflow/recipes/measure-models";
import { pipelineHtml } from "@nasty/workflow/report/recipe-html";
import { pipelinePlanText, type PipelineResult, pipelineText } from "@nasty/workflow/report/recipe-text";
import { cutTexts, hashTexts, locateTexts, partText } from "@nasty/workflow/recipes/recipe-texts";
import { readState, writeState } from "@nasty/workflow/recipes/state-file";
import { type PipelineContext, type TaggerKind, textPath } from "../pipeline/step-kind.js";
import { stepKind, stepKinds } from "../pipeline/step-kinds.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { versions } from "@nasty/workflow/versions";

export interface PipelineOptions extends CommonOptions, LabelChoice {
  readonly output?: string;
  readonly resume?: boolean;
  readonly fresh?: boolean;
  readonly report?: string;
  readonly dryRun?: boolean;
}

/** A recipe is a page of text; more is some other file. */
const largestRecipe = 1e6;

/**
 * `nasty pipeline`: checks a recipe, runs its steps one after the other, each on what the one before it wrote, and reports all models
 * side by side. A second run goes on behind the last finished step whose inputs are unchanged.
 */
export async function pipeline(
  options: PipelineOptions,
  terminal: Terminal,
  recipePath: string,
): Promise<void> {
  const recipe = readRecipe(await recipeText(recipePath), schemas, recipePath);
  const first = await findFirstModel(recipe, recipePath);
  const located = await locateTexts(recipe, recipePath);
  const folder = resolve(options.output ?? `pipeline-${basename(recipePath).replace(/\.ya?ml$/i, "")}`);
  const choice = choiceIn(recipe, options);
  const { tagger } = await loadModel(first.path, choiceForText(choice));
  const { seed, threads } = options;
  const unready: PipelineContext = {
    texts: located,
    folder,
    task: tagger?.task,
    choice,
    tagger: tagger?.kind,
    seed,
    threads,
    terminal,
  };
  await checkSteps(recipe, unready);
  const test = tagger === undefined ? undefined : textPath(unready, "test");
  if (options.dryRun) {
    const steps = planOf(recipe, first, { hashes: {}, tagger: tagger?.kind });
    const plan = { recipe: recipePath, model: recipe.model, output: folder, steps };
    terminal.result(plan, () => pipelinePlanText(plan));
    return;
  }
  if (options.report !== undefined) await checkWritable("pipeline: --report", options.report);
  const read = Object.values(located).flatMap((texts) => texts.map(({ path }) => path));
  await checkSeparate("pipeline", { "--report": options.report }, [recipePath, first.path, ...read]);
  const continuation = options.fresh ? "fresh" : options.resume ? "resume" : "if-possible";
  const state = await readState(folder, continuation);
  await writeState(folder, state);

  const context = { ...unready, texts: await cutTexts(recipe, located, join(folder, "data")) };
  const hashes = await hashTexts(context.texts);
  const start = await artifactOf(await unpackFirstModel(first, folder));
  const run = await runSteps(planOf(recipe, first, { hashes, tagger: tagger?.kind }), {
    context,
    start,
    state,
    hashes,
  });
  const figures = await figuresOf(run, { context, hashes });
  const result: PipelineResult = {
    recipe: recipePath,
    model: recipe.model,
    output: folder,
    test: test === undefined ? null : describeText(recipe.data.test?.[0]),
    ...pipelineReport(run, { figures, lossInterval: (a, b) => intervalOf(a, b, seed) }),
  };
  if (options.report !== undefined) {
    await writeFileAtomic(options.report, [new TextEncoder().encode(pipelineHtml(result))]);
  }
  terminal.result(result, () => pipelineText(result));
  if (run.refused !== null) {
    throw new GateError(`step ${run.refused.step} (${run.refused.kind}): ${run.refused.message}`);
  }
}

/** What the recipe says about labels, if the command does not say otherwise. */
function choiceIn({ name, task, scheme }: Recipe, options: LabelChoice): LabelChoice {
  const read = <T>(word: RecipeWord | undefined, { flag, value }: ValueOption<T>): T | undefined => {
    if (word === undefined) return undefined;
    const result = readValue(value, word.text);
    if ("value" in result) return result.value;
    throw recipeError(name, word.at, `${longName(flag)}: ${result.expected}, got ${word.text}`);
  };
  const own = { task: read(task, labelOptions.task), scheme: read(scheme, labelOptions.scheme) };
  return choiceOf({ ...own, ...choiceOf(options) });
}

/** `sample, part 3/3`. */
function describeText(text: RecipeText | undefined): string {
  const { file = "", part } = text ?? {};
  return part === undefined ? file : `${file}, part ${partText(part)}`;
}

const schemas = stepKinds.map(({ schema }) => schema);

async function recipeText(path: string): Promise<string> {
  const found = await stat(path);
  if (found.isDirectory()) {
    throw new InputError(`pipeline: ${path}: expected a recipe, got a folder; give the recipe's YAML file`);
  }
  const { size } = found;
  if (size > largestRecipe) {
    throw new InputError(
      `pipeline: ${path}: expected a recipe of at most ${largestRecipe} bytes, got ${size}; give the recipe's YAML file`,
    );
  }
  return readFile(path, "utf8");
}

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
  readonly context: PipelineContext;
  readonly start: Artifact;
  readonly state: typeof noState;
  readonly hashes: Hashes;
}

async function runSteps(
  steps: readonly PlannedStep[],
  { context, start, state, hashes }: Running,
): Promise<PipelineRun> {
  const { terminal, folder, seed } = context;
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
          reporter: context.terminal,
        });
        return { metric, value, counts: sentenceCounts };
      },
      evaluationKey: hashes.test ?? "",
    }),
    onStep(step, status) {
      if (status === "begins") terminal.note(title(step));
      if (status === "skipped") terminal.note(`${title(step)}: done by an earlier run, unchanged`);
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
      : await measureModels([...models.values()], { test, ...context, reporter: context.terminal });
  if (state.measured?.key !== key) await writeState(context.folder, { ...state, measured: { key, figures } });
  return new Map([...models.keys()].map((sha256, index) => [sha256, figures[index] as Figures]));
}
