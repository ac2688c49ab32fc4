import {
  type FlagOption,
  type Option as SchemaOption,
  readValue,
  type ValueOption,
} from "@nasty/workflow/operations";
import { InvalidArgumentError, Option } from "commander";

/** The options of the command line for one of a schema: two where a flag has a form that says no. */
export function optionsOf(option: SchemaOption): Option[] {
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
  return mandatory(option, new Option(option.flag, option.help).default([], option.otherwise ?? "none"));
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
  const result = readValue(value, written);
  if ("value" in result) return result.value;
  throw new InvalidArgumentError(`${result.expected.replace(/^e/, "E")}.`);
}

function helpOf({ help, otherwise }: SchemaOption): string {
  return otherwise === undefined ? help : `${help} (default: ${otherwise})`;
}

/** {@link optionsOf} of what is one option. */
export function schemaOption(option: SchemaOption): Option {
  return optionsOf(option)[0]!;
}

/** Collects a repeatable option into a list. */
function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
