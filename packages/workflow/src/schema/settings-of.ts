import { pathOfModel } from "../models/model.js";
import { isText, sourceOf } from "../texts/text.js";
import { UsageError } from "../errors.js";
import { checkValue } from "./values.js";
import { type NamedOption, namedOptions, type Operation } from "./operation.js";
import type { Option, Options, SettingsOf, ValueOption } from "./option.js";

/**
 * Settings of an operation from what a program gave: each option checked, defaults filled in, under the name that the command line has
 * for it; texts and models as their paths.
 *
 * @throws UsageError for an unknown key, a wrong value, a missing option, or two that exclude each other
 */
export function settingsOf<O extends Options>(operation: Operation<O>, given: object): SettingsOf<O> {
  checkKeys(operation, given);
  const settings: Record<string, unknown> = {};
  for (const named of namedOptions(operation)) {
    const found = valueAt(given, named.path);
    const value = named.isSwitch === true && typeof found === "object" ? true : found;
    const where = `${operation.name}: ${named.path.join(".")}`;
    if (value === undefined) {
      if (named.option.required === true) {
        throw new UsageError(`${where}: expected a value (${named.option.help}), got none`);
      }
      const fallback = fallbackOf(named.option);
      if (fallback !== undefined) settings[named.setting] = fallback;
      continue;
    }
    checkConflicts(operation, named, given);
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
    throw new UsageError(`${name}: ${key}: expected one of ${known.join(", ")}, got an unknown option`);
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

function checkConflicts(operation: Operation, { path, option }: NamedOption, given: object): void {
  for (const other of option.conflicts ?? []) {
    const value = valueAt(given, other.split("."));
    if (value === undefined || value === false) continue;
    throw new UsageError(
      `${operation.name}: ${path.join(".")}: expected no ${other} beside it, which excludes it, got both`,
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

function modelPath(value: unknown, where: string): string {
  const path = pathOfModel(value);
  if (path !== undefined) return path;
  throw new UsageError(`${where}: expected a path, an open model or a written one, got ${shown(value)}`);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object"
    ? value === null
      ? "null"
      : "an object"
    : (JSON.stringify(value) ?? "none");
}
