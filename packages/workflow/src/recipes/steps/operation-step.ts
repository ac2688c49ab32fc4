import { rm } from "node:fs/promises";
import { join } from "node:path";
import type {
  DataName,
  DataNeed,
  RecipeStep,
  StepJob,
  StepOptions,
  StepOutcome,
} from "@nasty/compression/pipeline";
import { uncompressedName } from "@nasty/formats/archive";
import { GateError } from "../../errors.js";
import { plainData } from "../../report/json.js";
import type { Reporter } from "../../reporter.js";
import { longName, namedOptions, type Operation } from "../../schema/operation.js";
import type { Option, Options, SettingsOf } from "../../schema/option.js";
import { currentReading, readingFor, withReading } from "../../texts/reading.js";
import { artifactOf } from "../artifact.js";
import type { ModelFacts, RecipeContext, StepKind } from "./step-kind.js";
import { settingsOfStep, stepOptions } from "./step-options.js";

/** A text that an operation reads without the recipe saying so. */
export interface WiredText extends DataNeed {
  /** The operation's option that takes it, as the command line has it. */
  readonly option: string;
}

/** A step that is an operation on the recipe's models and texts. */
export interface OperationStep<O extends Options, R extends object> {
  readonly name: string;
  readonly operation: Operation<O>;
  /** Carries it out; its module is loaded only when the step runs. */
  readonly run: (settings: SettingsOf<O>, reporter: Reporter) => Promise<R>;
  /** Throws the GateError of a result that an accuracy gate refused. */
  readonly judge?: (result: R, settings: SettingsOf<O>) => void;
  /** What the report of the recipe says of it. */
  readonly document: (result: R) => object;
  /** The option that takes the model to work on, as the command line has it. */
  readonly modelOption: string;
  /** Options that a recipe cannot set, beside model, output and task. */
  readonly provided?: readonly string[];
  /** Texts that the operation gets, given its other options, unless the recipe names others. */
  readonly texts?: (options: StepOptions) => readonly WiredText[];
  readonly makesModel?: boolean;
  /** Values that a recipe may give where the operation takes more. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
  outputNameOf(options: StepOptions, input: string, facts: ModelFacts): string;
  /**
   * Another form of the model where the operation needs one; it may be written to `scratch`, which is removed
   * afterwards.
   */
  readonly prepareModel?: (path: string, scratch: string) => Promise<string>;
  /** Where the model for the next step is. */
  readonly modelOf: (result: R) => string | null | undefined;
  /** Throws what the operation has against options taken together. */
  readonly check?: (settings: SettingsOf<O>) => Promise<unknown>;
}

/** Makes a step of an operation. */
export function operationStep<O extends Options, R extends object>(
  definition: OperationStep<O, R>,
): StepKind {
  const { name, operation, modelOption, makesModel = true } = definition;
  const always = ["output", "report", "task", "scheme", modelOption];
  const wired = (options: StepOptions): readonly WiredText[] =>
    (definition.texts?.(options) ?? []).filter(({ option }) => !(option in options));

  const settingsFor = (step: RecipeStep, paths: Paths, context: RecipeContext): SettingsOf<O> => {
    const texts = wired(step.options).filter((text) => context.texts[text.name] !== undefined);
    return settingsOfStep(operation, {
      options: {
        ...step.options,
        ...Object.fromEntries(texts.map(({ option, name: text }) => [option, text])),
      },
      sourcesOf: (option, text) => sourcesOf(option, text as DataName, context),
      provided: {
        [modelOption]: isList(operation, modelOption) ? [paths.input] : paths.input,
        output: paths.output,
        ...labelSettings(operation, context),
        seed: context.seed,
        threads: context.threads,
      },
    }) as SettingsOf<O>;
  };

  return {
    schema: {
      name,
      options: stepOptions(operation, [...always, ...(definition.provided ?? [])], definition.choices),
      needs: wired,
    },
    makesModel,
    outputNameOf: definition.outputNameOf,
    settingsOf: (step, input, context) =>
      settingsFor(step, { input, output: "output.onnx" }, context) as object,
    async check(step, context) {
      const settings = settingsFor(step, { input: "model.onnx", output: "output.onnx" }, context);
      await definition.check?.(settings);
    },
    async run({ step, input, isInterrupted }: StepJob, context): Promise<StepOutcome> {
      const output = join(context.folder, step.outputName ?? step.kind);
      if (!isInterrupted) {
        // What another work of that name left: a checkpoint would be gone on with.
        await rm(`${output}.checkpoint`, { force: true });
        if (isFolderName(output)) await rm(output, { recursive: true, force: true });
      }
      const scratch = `${output}.input`;
      let said: unknown = null;
      try {
        const model = (await definition.prepareModel?.(input.path, scratch)) ?? input.path;
        const settings = settingsFor(step, { input: model, output }, context);
        const reading = readingFor(settings, currentReading());
        const result = await withReading(reading, () => definition.run(settings, context.reporter));
        said = plainData(definition.document(result));
        definition.judge?.(result, settings);
        const artifact = await artifactOf(definition.modelOf(result) ?? output);
        return { kind: "done", output: artifact, isModel: makesModel, result: said };
      } catch (error) {
        if (!(error instanceof GateError)) throw error;
        return { kind: "refused", message: error.message, result: said };
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
  };
}

interface Paths {
  readonly input: string;
  readonly output: string;
}

/** What was said about labels; an operation that must be told the task is told what the model has. */
function labelSettings(operation: Operation, { task, choice }: RecipeContext): Record<string, unknown> {
  const taskOption = optionNamed(operation, "task");
  const told = choice.task ?? (taskOption?.required === true ? task : undefined);
  return {
    ...(taskOption !== undefined && told !== undefined && { task: told }),
    ...(optionNamed(operation, "scheme") !== undefined &&
      choice.scheme !== undefined && { scheme: choice.scheme }),
  };
}

function optionNamed(operation: Operation, name: string): Option | undefined {
  return namedOptions(operation).find(({ option }) => longName(option.flag) === name)?.option;
}

function isList(operation: Operation, name: string): boolean {
  return optionNamed(operation, name)?.kind === "models";
}

/** A text as an operation names it: `file`, `file:count`; one file where it takes one. */
function sourcesOf({ kind }: Option, name: DataName, { texts }: RecipeContext): readonly string[] {
  const sources = texts[name] ?? [];
  if (kind === "text") return sources.slice(0, 1).map(({ path }) => path);
  return sources.map(({ path, count }) => (count === undefined ? path : `${path}:${count}`));
}

/** Model files have their ending, folders none. */
function isFolderName(name: string): boolean {
  return !/\.onnx(?:\.gz|\.br)?$/.test(name);
}

/** `pos.onnx.gz` → `pos`: what names of later steps begin with. */
export function stemOf(name: string): string {
  return uncompressedName(name).replace(/\.onnx$/i, "");
}
