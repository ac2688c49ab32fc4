import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type DataName,
  type DataNeed,
  type RecipeStep,
  type StepJob,
  type StepOptions,
  type StepOutcome,
} from "@nasty/compression/pipeline";
import { uncompressedName } from "@nasty/formats/archive";
import type { Command } from "commander";
import { GateError } from "@nasty/workflow/errors";
import { currentReading, Reading, withReading } from "@nasty/workflow/texts/reading";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { artifactOf } from "@nasty/workflow/recipes/artifact";
import { captureOn } from "./capture.js";
import { argumentsOf, optionsOf, parsedOptions, textOptions } from "./command-options.js";
import type { ModelFacts, PipelineContext, StepKind } from "./step-kind.js";

/** A text that a command reads without the recipe saying so. */
export interface WiredText extends DataNeed {
  /** The command's option that takes it. */
  readonly option: string;
}

/** A step that is a command of this program, run on the pipeline's models and texts. */
export interface CommandStep<O extends CommonOptions> {
  readonly name: string;
  readonly command: () => Command;
  readonly load: () => Promise<(options: O, terminal: Terminal) => Promise<void>>;
  /** The option that takes the model to work on. */
  readonly modelOption: string;
  /** Options that a recipe cannot set, beside model, output and task. */
  readonly provided?: readonly string[];
  /** Texts that the command gets, given its other options, unless the recipe names others. */
  readonly texts?: (options: StepOptions) => readonly WiredText[];
  readonly makesModel?: boolean;
  /** Values that a recipe may give where the command takes more. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
  outputNameOf(options: StepOptions, input: string, facts: ModelFacts): string;
  /** Another form of the model where the command needs one; it may be written to `scratch`, which is removed afterwards. */
  readonly prepareModel?: (path: string, scratch: string) => Promise<string>;
  /** Where the model for the next step is, if the command writes more than one. */
  readonly modelOf?: (result: unknown) => string | undefined;
  /** Throws what the command has against options taken together. */
  readonly check?: (options: O) => Promise<unknown>;
}

/** Makes a step of a command. */
export function commandStep<O extends CommonOptions>(definition: CommandStep<O>): StepKind {
  const { name, command, modelOption, makesModel = true } = definition;
  const always = ["output", "dry-run", "report", "task", "scheme", modelOption];
  const wired = (options: StepOptions): readonly WiredText[] =>
    (definition.texts?.(options) ?? []).filter(({ option }) => !(option in options));

  const parse = (step: RecipeStep, paths: Paths, context: PipelineContext): Promise<O> => {
    const made = command();
    return parsedOptions<O>(made, [
      `--${modelOption}=${paths.input}`,
      ...(has(made, "output") ? [`--output=${paths.output}`] : []),
      ...labelArguments(made, context),
      `--seed=${context.seed}`,
      `--threads=${context.threads}`,
      "--json",
      ...wired(step.options).flatMap(({ option, name: text }) => textArguments(option, text, context)),
      ...argumentsOf(made, withoutTexts(step.options)),
      ...Object.entries(step.options)
        .filter(([option]) => textOptions.has(option))
        .flatMap(([option, text]) => textArguments(option, text as DataName, context)),
    ]);
  };

  return {
    schema: {
      name,
      options: optionsOf(command(), [...always, ...(definition.provided ?? [])], definition.choices),
      needs: wired,
    },
    makesModel,
    outputNameOf: definition.outputNameOf,
    async check(step, context) {
      const options = await parse(step, { input: "model.onnx", output: "output.onnx" }, context);
      await definition.check?.(options);
    },
    async run({ step, input, isInterrupted }: StepJob, context): Promise<StepOutcome> {
      const output = join(context.folder, step.outputName ?? step.kind);
      if (!isInterrupted) {
        // What another work of that name left: a checkpoint would be gone on with.
        await rm(`${output}.checkpoint`, { force: true });
        if (isFolderName(output)) await rm(output, { recursive: true, force: true });
      }
      const scratch = `${output}.input`;
      const { terminal, result } = captureOn(context.terminal);
      try {
        const model = (await definition.prepareModel?.(input.path, scratch)) ?? input.path;
        const options = await parse(step, { input: model, output }, context);
        const { inputFormat = [] } = options as { readonly inputFormat?: readonly string[] };
        const work = await definition.load();
        await withReading(new Reading(inputFormat, currentReading()), () => work(options, terminal));
      } catch (error) {
        if (!(error instanceof GateError)) throw error;
        return { kind: "refused", message: error.message, result: result() };
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
      const said = result() as { readonly output?: { readonly path?: string } } | null;
      const artifact = await artifactOf(definition.modelOf?.(said) ?? said?.output?.path ?? output);
      return { kind: "done", output: artifact, isModel: makesModel, result: said };
    },
  };
}

interface Paths {
  readonly input: string;
  readonly output: string;
}

/** What was said about labels; a command that must be told the task is told what the model has. */
function labelArguments(command: Command, { task, choice }: PipelineContext): string[] {
  const isNeeded = command.options.some(({ long, mandatory }) => long === "--task" && mandatory);
  const told = choice.task ?? (isNeeded ? task : undefined);
  return [
    ...(has(command, "task") && told !== undefined ? [`--task=${told}`] : []),
    ...(has(command, "scheme") && choice.scheme !== undefined ? [`--scheme=${choice.scheme}`] : []),
  ];
}

function has(command: Command, name: string): boolean {
  return command.options.some(({ long }) => long === `--${name}`);
}

function withoutTexts(options: StepOptions): StepOptions {
  return Object.fromEntries(Object.entries(options).filter(([option]) => !textOptions.has(option)));
}

/** A text as the command line names it: `file`, `file:count`, several for calibration. */
function textArguments(option: string, name: DataName, { texts }: PipelineContext): string[] {
  const sources = texts[name] ?? [];
  const takesSeveral = option === "calibration" || option === "data";
  return (takesSeveral ? sources : sources.slice(0, 1)).map(({ path, count }) =>
    takesSeveral && count !== undefined ? `--${option}=${path}:${count}` : `--${option}=${path}`,
  );
}

/** Model files have their ending, folders none. */
function isFolderName(name: string): boolean {
  return !/\.onnx(?:\.gz|\.br)?$/.test(name);
}

/** `pos.onnx.gz` → `pos`: what names of later steps begin with. */
export function stemOf(name: string): string {
  return uncompressedName(name).replace(/\.onnx$/i, "");
}
