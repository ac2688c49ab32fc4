import { namedOptions, type Operation } from "../../schema/operation.js";
import type { Option } from "../../schema/option.js";

type Settings = Readonly<Record<string, unknown>>;

/**
 * The command line that does what was done: every option that says something else than its default. An operation that a
 * program called has one too, for its options are the command's.
 */
export function commandLine(operation: Operation, settings: Settings, operand?: string): string {
  const options = namedOptions(operation).flatMap(({ setting, option }) =>
    wordsOf(option, settings[setting]),
  );
  return ["nasty", operation.name, ...(operand === undefined ? [] : [quoted(operand)]), ...options].join(" ");
}

function wordsOf(option: Option, value: unknown): string[] {
  const { flag } = option;
  const [name = flag] = flag.split(" ");
  if (option.kind === "flag") {
    if (value === undefined || value === (option.fallback ?? false)) return [];
    return [value === true ? name : (option.negative?.[0] ?? name)];
  }
  const fallback = "fallback" in option ? option.fallback : undefined;
  return [value].flat().flatMap((one) => (one === undefined || one === fallback ? [] : [name, quoted(one)]));
}

/** A word as a shell takes it. */
function quoted(value: unknown): string {
  const word = String(value);
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** What of the settings may name files: all words but those that an option chooses from. */
export function pathsOf(operation: Operation, settings: Settings): string[] {
  return namedOptions(operation).flatMap(({ setting, option }) =>
    option.kind === "flag" || !namesFiles(option)
      ? []
      : [settings[setting]].flat().filter((one): one is string => typeof one === "string" && one !== "-"),
  );
}

/** Models, texts, and files by the name that the flag gives their value. */
function namesFiles({ kind, flag }: Option): boolean {
  return (
    /^(?:text|model)s?$/.test(kind) ||
    /<(?:file|dir|path|input)/.test(flag) ||
    flag.startsWith("--input-format")
  );
}
