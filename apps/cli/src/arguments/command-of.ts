import {
  longName,
  type NamedOption,
  namedOptions,
  type Operation,
  type Option,
} from "@nasty/workflow/operations";
import type { Command } from "commander";
import type { CommonOptions } from "../terminal/console.js";
import { type Action, command, examples, run } from "./command.js";
import { optionsOf } from "./schema-option.js";

/**
 * The command of an operation: its options, defaults and help all come from the operation's schema.
 *
 * @param load gives what carries it out; called only when the command runs
 */
export function commandOf<S extends CommonOptions>(
  operation: Operation,
  load: () => Promise<Action<S>>,
): Command {
  const made = command(commandName(operation), operation.summary);
  if (operation.operand !== undefined) made.argument(operation.operand.name, operation.operand.help);
  const named = namedOptions(operation);
  const settings = new Map(named.map(({ path, setting }) => [path.join("."), setting]));
  // What every command of its kind takes comes first.
  const isFirst = ({ option }: NamedOption): boolean => longName(option.flag) === "input-format";
  for (const { option } of [...named.filter(isFirst), ...named.filter((one) => !isFirst(one))]) {
    if (isCommon(option)) continue;
    for (const one of optionsOf(option)) {
      const excluded = option.conflicts?.map((name) => settings.get(name) ?? name) ?? [];
      made.addOption(excluded.length === 0 ? one : one.conflicts(excluded));
    }
  }
  if (operation.plans !== undefined) made.option("--dry-run", operation.plans);
  return made.addHelpText("after", examples(...operation.examples)).action(run(load));
}

/** The word that calls an operation: `eval` of `quantize eval`. */
export const commandName = ({ name }: Operation): string => name.split(" ").at(-1)!;

/** Every command has these, and says them last. */
function isCommon({ flag }: Option): boolean {
  return ["seed", "threads"].includes(longName(flag));
}
