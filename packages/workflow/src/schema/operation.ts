import type { Option, Options } from "./option.js";

/** An operation as everything that offers it sees it: its name, what it is for, its options. */
export interface Operation<O extends Options = Options> {
  /** Its command, such as `quantize` or `quantize eval`. */
  readonly name: string;
  readonly summary: string;
  readonly options: O;
  /** What the command line takes without an option's name. */
  readonly operand?: Operand;
  /** Where it can stop after the plan (`NAME.plan(…)`, `--dry-run`): what that does, in words. */
  readonly plans?: string;
  readonly examples: readonly (readonly [line: string, purpose: string])[];
}

export interface Operand {
  /** `[file]` or `<recipe>`. */
  readonly name: string;
  readonly help: string;
}

/** An operation whose options keep their exact types. */
export function operation<const O extends Options>(definition: Operation<O>): Operation<O> {
  return definition;
}

/** One option, by the names that it has in a program (`gate.maxLoss`) and in settings (`targetAccuracyLoss`). */
export interface NamedOption {
  readonly path: readonly string[];
  readonly setting: string;
  readonly option: Option;
  /** Whether it turns on the group at its path, which a program does by any option of the group too. */
  readonly isSwitch?: true;
}

/** All options of an operation, those of groups beside the others, in the order of their definition. */
export function namedOptions({ options }: Pick<Operation, "options">): readonly NamedOption[] {
  return Object.entries(options).flatMap(([key, option]) =>
    option.kind === "group"
      ? [
          ...(option.by === undefined ? [] : [{ ...named([key], option.by), isSwitch: true as const }]),
          ...Object.entries(option.options).map(([inner, one]) => named([key, inner], one)),
        ]
      : [named([key], option)],
  );
}

function named(path: readonly string[], option: Option): NamedOption {
  return { path, setting: settingOf(option.flag), option };
}

/** `--skip-layers <pattern>` and `--no-per-channel` → `skip-layers`, `per-channel`: the name in recipes. */
export function longName(flag: string): string {
  return /^--(?:no-)?([a-z0-9-]+)/.exec(flag)?.[1] ?? flag;
}

function settingOf(flag: string): string {
  return longName(flag).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
