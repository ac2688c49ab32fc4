import type { OptionSchema, StepOptions } from "@nasty/compression/pipeline";
import { longName, namedOptions, type NamedOption, type Operation } from "../../schema/operation.js";
import type { Option } from "../../schema/option.js";
import { collectSettings } from "../../schema/settings-of.js";
import { readValue } from "../../schema/values.js";

/** Options that the recipe sets for all of its steps. */
const common: ReadonlySet<string> = new Set(["seed", "threads"]);

/**
 * What a recipe may write for an operation: its own options, checked by its own rules, so that a step has every option
 * that the operation has.
 *
 * @param provided options that the recipe gives itself, such as the model
 * @param choices the only values of an option that a recipe may give
 */
export function stepOptions(
  operation: Operation,
  provided: readonly string[],
  choices: Readonly<Record<string, readonly string[]>> = {},
): readonly OptionSchema[] {
  return namedOptions(operation)
    .map(({ option }) => option)
    .filter(({ flag }) => !common.has(longName(flag)) && !provided.includes(longName(flag)))
    .map((option) => stepOption(option, choices[longName(option.flag)]));
}

function stepOption(option: Option, choices: readonly string[] | undefined): OptionSchema {
  const name = longName(option.flag);
  switch (option.kind) {
    case "flag":
      return { name, takes: "flag" };
    case "text":
    case "texts":
      return { name, takes: "data" };
    case "model":
    case "models":
      return { name, takes: option.kind === "model" ? "value" : "list" };
    case "value":
    case "list":
      return {
        name,
        takes: option.kind,
        check: (written) => {
          if (choices !== undefined) {
            return choices.includes(written) ? undefined : `expected one of ${choices.join(", ")}`;
          }
          const result = readValue(option.value, written);
          return "expected" in result ? result.expected : undefined;
        },
      };
    default:
      return option satisfies never;
  }
}

/** What a recipe gives to an operation. */
export interface StepSettings {
  /** As the recipe has them; texts by the names that they have in its data section. */
  readonly options: StepOptions;
  /** Where the text of a name is: `file`, `file:count` where some of several sentences are wanted. */
  readonly sourcesOf: (option: Option, name: string) => readonly string[];
  /** What the recipe gives itself, by the option's long name. */
  readonly provided: Readonly<Record<string, unknown>>;
}

/**
 * Settings of an operation, with all defaults.
 *
 * @throws UsageError for options that exclude each other, naming them as the command line does
 */
export function settingsOfStep(
  operation: Operation,
  { options, sourcesOf, provided }: StepSettings,
): Readonly<Record<string, unknown>> {
  return collectSettings(operation, {
    nameOf: ({ option }) => `--${longName(option.flag)}`,
    valueOf({ option }: NamedOption): unknown {
      const name = longName(option.flag);
      if (Object.hasOwn(provided, name)) return provided[name];
      const written = Object.hasOwn(options, name) ? options[name] : undefined;
      if (written === undefined || typeof written === "boolean") return written;
      const all = typeof written === "string" ? [written] : written;
      switch (option.kind) {
        case "value":
          return valueOf(option, all[0] ?? "");
        case "list":
          return all.map((one) => valueOf(option, one));
        case "text":
          return all.flatMap((one) => sourcesOf(option, one))[0];
        case "texts":
          return all.flatMap((one) => sourcesOf(option, one));
        case "flag":
        case "model":
        case "models":
          return written;
        default:
          return option satisfies never;
      }
    },
  });
}

/** The reader of the recipe has checked it; what is none is returned for the schema to refuse. */
function valueOf({ value }: Extract<Option, { kind: "value" | "list" }>, written: string): unknown {
  return value.parse(written);
}
