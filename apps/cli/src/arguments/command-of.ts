import {
  longName,
  namedOptions,
  type FlagOption,
  type Operation,
  type Option as SchemaOption,
  type ValueOption,
} from "@nasty/workflow/operations";
import { type Command, InvalidArgumentError, Option } from "commander";
import * as v from "valibot";
import { command, examples } from "./command.js";
import { collect } from "./option-values.js";

/** The command of an operation: its options, defaults and help all come from the operation's schema. */
export function commandOf(operation: Operation): Command {
  const made = command(operation.name.split(" ").at(-1)!, operation.summary);
  if (operation.operand !== undefined) made.argument(operation.operand.name, operation.operand.help);
  const settings = new Map(namedOptions(operation).map(({ path, setting }) => [path.join("."), setting]));
  for (const { option } of namedOptions(operation)) {
    if (isCommon(option)) continue;
    for (const one of optionsOf(option)) {
      const excluded = option.conflicts?.map((name) => settings.get(name) ?? name) ?? [];
      made.addOption(excluded.length === 0 ? one : one.conflicts(excluded));
    }
  }
  if (operation.plans) made.option("--dry-run", "print the plan, write nothing");
  return made.addHelpText("after", examples(...operation.examples));
}

/** Every command has these, and says them last. */
function isCommon({ flag }: SchemaOption): boolean {
  return ["seed", "threads"].includes(longName(flag));
}

function optionsOf(option: SchemaOption): Option[] {
  switch (option.kind) {
    case "flag":
      return flags(option);
    case "value":
      return [valued(option, new Option(option.flag, helpOf(option)))];
    case "list":
      return [
        many(option).argParser((written: string, before: readonly unknown[]) => [
          ...before,
          valueOf(option, written),
        ]),
      ];
    case "text":
    case "model":
      return [mandatory(option, new Option(option.flag, helpOf(option)))];
    case "texts":
    case "models":
      return [many(option).argParser(collect)];
    default:
      return option satisfies never;
  }
}

function flags(option: FlagOption): Option[] {
  const positive = new Option(option.flag, helpOf(option));
  if (option.fallback !== undefined && option.negative !== undefined) positive.default(option.fallback);
  if (option.negative === undefined) return [positive];
  const [flag, help] = option.negative;
  const negative = new Option(flag, help);
  return option.onlyNegative ? [negative] : [positive, negative];
}

function many(option: SchemaOption): Option {
  return mandatory(option, new Option(option.flag, helpOf(option)).default([], "none"));
}

function mandatory(option: SchemaOption, made: Option): Option {
  return option.required ? made.makeOptionMandatory() : made;
}

function valued(option: ValueOption<unknown>, made: Option): Option {
  if (option.fallback !== undefined) made.default(option.fallback);
  if (option.value.choices === undefined) made.argParser((written: string) => valueOf(option, written));
  else made.choices(option.value.choices);
  return mandatory(option, made);
}

/** The value of a text of the command line, in the schema's words where it is none. */
function valueOf({ value }: ValueOption<unknown>, written: string): unknown {
  const result = v.safeParse(value.schema, value.parse(written));
  if (result.success) return result.output;
  throw new InvalidArgumentError(result.issues[0].message);
}

function helpOf({ help, otherwise, required }: SchemaOption): string {
  if (required === true) return `${help} (required)`;
  return otherwise === undefined ? help : `${help} (default: ${otherwise})`;
}
