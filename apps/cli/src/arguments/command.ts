import { inputFormat, running } from "@nasty/workflow/operations";
import { Command, Help, Option } from "commander";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { schemaOption } from "./schema-option.js";

/** A command with the options that every command takes. */
export function command(name: string, description: string): Command {
  return (
    new Command(name)
      .description(description)
      .helpOption("-h, --help", "show this help")
      .enablePositionalOptions()
      .allowExcessArguments(false)
      .showHelpAfterError("(run with --help for the options)")
      .exitOverride()
      // Without this, lists of subcommands repeat "[options]" and the help command.
      .helpCommand(false)
      .configureHelp({ subcommandTerm: (child) => child.name(), optionDescription, helpWidth: helpWidth() })
      .option("--json", "print one JSON document on standard output")
      .option("--quiet", "no progress and no remarks on standard error")
      .addOption(schemaOption(running.seed))
      .addOption(schemaOption(running.threads))
      .option("--debug", "print the stack trace of an error")
  );
}

/** A command that reads text: it can be told what that is. */
export function textCommand(name: string, description: string): Command {
  return command(name, description).addOption(schemaOption(inputFormat));
}

/** What an option is for, whether it must be given, and otherwise what stands in for it. */
function optionDescription(option: Option): string {
  const text = Help.prototype.optionDescription.call(new Help(), option);
  if (option.mandatory) return `${text.replace(/ ?\(default: none\)/, "")} (required)`;
  const takesValue = option.required || option.optional;
  return takesValue && !/\((?:required|default)|\bdefault: /.test(text) ? `${text} (default: none)` : text;
}

/** Columns of the help: those of the terminal, at least enough for two readable ones. */
function helpWidth(): number {
  return Math.max(80, Math.min(process.stdout.columns ?? 100, 120));
}

/** The end of a command's help: each example with what it is for. */
export function examples(...lines: readonly (readonly [line: string, purpose: string])[]): string {
  const width = Math.max(...lines.map(([line]) => line.length));
  const isWide = width > 60;
  const shown = lines.map(([line, purpose]) =>
    isWide ? `  # ${purpose}\n  ${line}` : `  ${line.padEnd(width)}   # ${purpose}`,
  );
  return `\nExamples:\n${shown.join("\n")}`;
}

export type Action<O> = (options: O, terminal: Terminal, ...operands: string[]) => Promise<void>;

/** Loads a command's module only when the command runs: `nasty tag` does not pay for the others. */
export function run<O extends CommonOptions>(load: () => Promise<Action<O>>) {
  return async (...parsed: unknown[]): Promise<void> => {
    // One that may be given several times comes as a list.
    const operands = parsed
      .slice(0, -2)
      .flat()
      .filter((operand) => typeof operand === "string");
    const options = parsed.at(-2) as O;
    const [{ atTerminal }, action] = await Promise.all([import("../terminal/at-terminal.js"), load()]);
    await atTerminal(options, (terminal) => action(options, terminal, ...operands));
  };
}
