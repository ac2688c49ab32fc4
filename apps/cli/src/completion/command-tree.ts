import type { Command } from "commander";

/** An option as a shell completes it. */
export interface CompletedOption {
  /** `-h`, `--help`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** The values there are; empty where any will do, which is then a path more often than not. */
  readonly choices: readonly string[];
}

/** A command with everything that may stand behind it. */
export interface CompletedCommand {
  /** Names from the first command on: `["quantize", "eval"]`, empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly options: readonly CompletedOption[];
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  /** Words that may stand as its operands. */
  readonly operands: readonly string[];
  /** Whether its operands are paths. */
  readonly takesPath: boolean;
}

/** Every command of a program, the program first. */
export function commandTree(command: Command, path: readonly string[] = []): readonly CompletedCommand[] {
  const help = command.createHelp();
  const named = help.visibleCommands(command);
  const operands = [
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    // `help` takes the names of its sisters.
    ...(command.name() === "help" ? (command.parent?.commands ?? []).map((sister) => sister.name()) : []),
  ];
  return [
    {
      path,
      description: command.description(),
      options: help.visibleOptions(command).map((option) => ({
        flags: [option.short, option.long].filter((flag) => flag !== undefined),
        description: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
      })),
      subcommands: named.map((child) => ({ name: child.name(), description: child.description() })),
      operands,
      takesPath: command.registeredArguments.length > 0 && operands.length === 0,
    },
    ...named.flatMap((child) => commandTree(child, [...path, child.name()])),
  ];
}
