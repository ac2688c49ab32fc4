import type { OptionSchema, OptionValue, StepOptions } from "@nasty/compression/pipeline";
import { type Command, CommanderError, InvalidArgumentError, type Option } from "commander";

/** Options that every command takes and the pipeline sets for all of its steps. */
const common: ReadonlySet<string> = new Set(["json", "quiet", "debug", "seed", "threads", "help"]);

/** Options of a command that name a text: a recipe gives the name that the text has in its data section. */
export const textOptions: ReadonlySet<string> = new Set([
  "calibration",
  "data",
  "test",
  "train",
  "unlabelled",
  "validation",
  "vocabulary",
]);

/** `--no-fallback` and `--fallback` are both the flag `fallback`. */
const recipeName = (option: Option): string => (option.long ?? "").replace(/^--(?:no-)?/, "");

const isFlag = (option: Option): boolean => !option.required && !option.optional;

/**
 * What a recipe may write for a command: the command's own options, checked by its own rules, so that a step has every option that the
 * command has.
 *
 * @param provided options that the pipeline gives itself, such as the model
 * @param choices the only values of an option that a recipe may give
 */
export function optionsOf(
  command: Command,
  provided: readonly string[],
  choices: Readonly<Record<string, readonly string[]>> = {},
): readonly OptionSchema[] {
  const schemas = new Map<string, OptionSchema>();
  for (const option of command.options) {
    const name = recipeName(option);
    if (common.has(name) || provided.includes(name) || schemas.has(name)) continue;
    if (textOptions.has(name)) schemas.set(name, { name, takes: "data" });
    else if (isFlag(option)) schemas.set(name, { name, takes: "flag" });
    else {
      const takes = Array.isArray(option.defaultValue) ? "list" : "value";
      schemas.set(name, { name, takes, check: (value) => fault(option, value, choices[name]) });
    }
  }
  return [...schemas.values()];
}

/** What the command line would have against a value. */
function fault(
  option: Option,
  value: string,
  choices: readonly string[] | undefined = option.argChoices,
): string | undefined {
  if (choices !== undefined) {
    return choices.includes(value) ? undefined : `expected one of ${choices.join(", ")}`;
  }
  try {
    const previous: unknown = Array.isArray(option.defaultValue) ? [] : undefined;
    option.parseArg?.(value, previous);
    return undefined;
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return error.message.replace(/^Expected/, "expected").replace(/\.$/, "");
  }
}

/** The options of a recipe as the command line has them. */
export function argumentsOf(command: Command, options: StepOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => argumentOf(command, name, value));
}

function argumentOf(command: Command, name: string, value: OptionValue): string[] {
  if (typeof value === "boolean") {
    // A flag that the command has in this form only is so already.
    const flag = value ? `--${name}` : `--no-${name}`;
    return command.options.some(({ long }) => long === flag) ? [flag] : [];
  }
  return (typeof value === "string" ? [value] : value).map((one) => `--${name}=${one}`);
}

/**
 * Options as the command's module gets them, with all defaults.
 *
 * @throws Error with the parser's words for options that exclude each other
 */
export async function parsedOptions<O>(command: Command, argv: readonly string[]): Promise<O> {
  let parsed: O | undefined;
  command
    .configureOutput({ writeErr() {}, writeOut() {}, outputError() {} })
    .action((options: O) => void (parsed = options));
  try {
    await command.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new ParserError(error.message.replace(/^error: /, ""), { cause: error });
  }
  return parsed as O;
}

/** The command line's parser refused a step's options. */
export class ParserError extends Error {
  override readonly name = "ParserError";
}
