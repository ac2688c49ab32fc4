import { nearestName } from "@nasty/graph";
import { pathOfModel } from "../models/model-like.js";
import { isText, sourceOf } from "../texts/text.js";
import { UsageError } from "../errors.js";
import { checkValue } from "./values.js";
import { type NamedOption, namedOptions, type Operation } from "./operation.js";
import type { Option, Options, SettingsOf, ValueOption } from "./option.js";

/**
 * Settings of an operation from what a program gave: each option checked, defaults filled in, under the name that the
 * command line has for it; texts and models as their paths.
 *
 * @throws UsageError for an unknown key, a wrong value, a missing option, or two that exclude each other
 */
export function settingsOf<O extends Options>(operation: Operation<O>, given: object): SettingsOf<O> {
  checkKeys(operation, given);
  return collectSettings(operation, {
    nameOf: ({ path }) => path.join("."),
    valueOf: ({ path }) => valueAt(given, path),
  });
}

/** Where options come from, and how whoever gave them names them. */
export interface GivenSource {
  readonly nameOf: (option: NamedOption) => string;
  /** Undefined for an option that was not given. */
  readonly valueOf: (option: NamedOption) => unknown;
}

/** {@link settingsOf} from options wherever they are. */
export function collectSettings<O extends Options>(
  operation: Operation<O>,
  source: GivenSource,
): SettingsOf<O> {
  const settings: Record<string, unknown> = {};
  const all = namedOptions(operation);
  for (const named of all) {
    const found = source.valueOf(named);
    const value = named.isSwitch === true && typeof found === "object" ? true : found;
    const where = `${operation.name}: ${source.nameOf(named)}`;
    if (value === undefined) {
      if (named.option.required === true) {
        throw new UsageError(`${where}: expected a value (${named.option.help}), got none`);
      }
      const fallback = fallbackOf(named.option);
      if (fallback !== undefined) settings[named.setting] = fallback;
      continue;
    }
    checkConflicts(named, all, { where, source });
    settings[named.setting] = checked(named.option, value, where);
  }
  return settings as SettingsOf<O>;
}

function valueAt(given: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Readonly<Record<string, unknown>>)[key] : undefined,
    given,
  );
}

function fallbackOf(option: Option): unknown {
  if (option.kind === "list" || option.kind === "texts" || option.kind === "models") {
    return "fallback" in option ? option.fallback : [];
  }
  return "fallback" in option ? option.fallback : undefined;
}

/** Keys that nothing reads are slips of the pen, not wishes. */
function checkKeys({ name, options }: Operation, given: object): void {
  const refuse = (key: string, known: readonly string[]): never => {
    const nearest = nearestName(key, known);
    const meant = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    throw new UsageError(
      `${name}: ${key}: expected one of ${known.join(", ")}, got an unknown option${meant}`,
    );
  };
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(options, key)) refuse(key, Object.keys(options));
    const option = options[key];
    if (option?.kind !== "group" || value === undefined) continue;
    if (option.by !== undefined && typeof value === "boolean") continue;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const expected = option.by === undefined ? "an object" : "true, false or an object";
      throw new UsageError(`${name}: ${key}: expected ${expected} (${option.help}), got ${shown(value)}`);
    }
    for (const inner of Object.keys(value)) {
      if (!Object.hasOwn(option.options, inner)) refuse(`${key}.${inner}`, Object.keys(option.options));
    }
  }
}

function checkConflicts(
  { option }: NamedOption,
  all: readonly NamedOption[],
  { where, source }: { readonly where: string; readonly source: GivenSource },
): void {
  for (const name of option.conflicts ?? []) {
    const other = all.find(({ path }) => path.join(".") === name);
    const value = other && source.valueOf(other);
    if (other === undefined || value === undefined || value === false) continue;
    throw new UsageError(
      `${where}: expected no ${source.nameOf(other)} beside it, which excludes it, got both`,
    );
  }
}

function checked(option: Option, value: unknown, where: string): unknown {
  switch (option.kind) {
    case "flag":
      if (typeof value === "boolean") return value;
      throw new UsageError(`${where}: expected true or false, got ${shown(value)}`);
    case "value":
      return checkedValue(option, value, where);
    case "list":
      return listOf(value, where).map((item) => checkedValue(option, item, where));
    case "text":
      return textPath(value, where, false);
    case "texts":
      return (Array.isArray(value) ? value : [value]).map((item) => textPath(item, where, true));
    case "model":
      return modelPath(value, where);
    case "models":
      return listOf(value, where).map((item) => modelPath(item, where));
    default:
      return option satisfies never;
  }
}

function checkedValue({ value }: ValueOption<unknown>, given: unknown, where: string): unknown {
  const result = checkValue(value, given);
  if ("value" in result) return result.value;
  throw new UsageError(`${where}: ${result.expected}, got ${shown(given)}`);
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new UsageError(`${where}: expected a list, got ${shown(value)}`);
}

/** @param isCounted whether a number of its sentences can be asked for */
function textPath(value: unknown, where: string, isCounted: boolean): string {
  if (typeof value === "string") return value;
  if (isText(value)) {
    if (isCounted || value.sentences === undefined) return sourceOf(value);
    throw new UsageError(
      `${where}: ${value.path}: sentences: expected none (all of the text is read), got ${value.sentences}`,
    );
  }
  throw new UsageError(`${where}: expected a path or text(…), got ${shown(value)}`);
}

/**
 * The path of a model that an operation is given.
 *
 * @throws UsageError for what is no model, and for one that was not written because a gate refused it
 */
export function modelPath(value: unknown, where: string): string {
  const path = pathOfModel(value);
  if (isRefused(value)) {
    const named = path ?? "one";
    throw new UsageError(`${where}: expected a model that was written, got ${named}, which its gate refused`);
  }
  if (path !== undefined) return path;
  throw new UsageError(`${where}: expected a path, an open model or a written one, got ${shown(value)}`);
}

/** Whether it is a result that nothing was written for; a float model whose quantized file did not pass is there. */
function isRefused(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { passed, output } = value as { readonly passed?: unknown; readonly output?: unknown };
  return passed === false && (output === undefined || output === null);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object"
    ? value === null
      ? "null"
      : "an object"
    : (JSON.stringify(value) ?? "none");
}
