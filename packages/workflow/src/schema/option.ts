import type { Text } from "../texts/text.js";
import type { ModelLike } from "../models/model-like.js";
import type { Value } from "./values.js";

/**
 * What is said of every option, wherever it is used: from a program, the command line, a recipe, or a page of the
 * documentation.
 */
interface About {
  /** The option on the command line with a name for its value: `--limit <n>`. */
  readonly flag: string;
  readonly help: string;
  /** Whether it must be given. */
  readonly required?: true;
  /** What holds where it is not given, in words, if it is no plain value. */
  readonly otherwise?: string;
  /** Options that exclude this one, by the names that they have in a program. */
  readonly conflicts?: readonly string[];
}

/** A yes or no. */
export interface FlagOption extends About {
  readonly kind: "flag";
  readonly fallback?: boolean;
  /** What says no on the command line, and what is said of it there. */
  readonly negative?: readonly [flag: string, help: string];
  /** What holds anyway is not offered on the command line. */
  readonly onlyNegative?: true;
}

/** One value, or a list of them. */
export interface ValueOption<T> extends About {
  readonly kind: "value" | "list";
  readonly value: Value<T>;
  readonly fallback?: T;
}

/** A text, or several; on the command line the path of a file, `-`, or `FILE:N` for N sentences of it. */
export interface TextOption extends About {
  readonly kind: "text" | "texts";
}

/** A model, or several: a path, or one that is open. */
export interface ModelOption extends About {
  readonly kind: "model" | "models";
}

export type Option = FlagOption | ValueOption<unknown> | TextOption | ModelOption;

/** Options that belong together, such as those of the gate; the command line has no groups. */
export interface Group {
  readonly kind: "group";
  readonly help: string;
  /** What turns the group on: a flag on the command line, in a program `true` or an object with any of the options. */
  readonly by?: FlagOption;
  readonly options: Readonly<Record<string, Option>>;
}

export type Options = Readonly<Record<string, Option | Group>>;

/** The literal type of the flag: settings are named by it. */
export interface Named<F extends string> {
  readonly flag: F;
}

type More<O extends About> = Partial<Omit<O, "kind" | "flag" | "help" | "value">>;

export function flag<const F extends string, const M extends More<FlagOption> = object>(
  name: F,
  help: string,
  more?: M,
): FlagOption & Named<F> & M {
  return { kind: "flag", flag: name, help, ...(more as M) };
}

export function one<T, const F extends string, const M extends More<ValueOption<T>> = object>(
  name: F,
  value: Value<T>,
  help: string,
  more?: M,
): ValueOption<T> & { readonly kind: "value" } & Named<F> & M {
  return { kind: "value", flag: name, value, help, ...(more as M) };
}

export function list<T, const F extends string, const M extends More<ValueOption<T>> = object>(
  name: F,
  value: Value<T>,
  help: string,
  more?: M,
): ValueOption<T> & { readonly kind: "list" } & Named<F> & M {
  return { kind: "list", flag: name, value, help, ...(more as M) };
}

export function text<const F extends string, const M extends More<TextOption> = object>(
  name: F,
  help: string,
  more?: M,
): TextOption & { readonly kind: "text" } & Named<F> & M {
  return { kind: "text", flag: name, help, ...(more as M) };
}

export function texts<const F extends string, const M extends More<TextOption> = object>(
  name: F,
  help: string,
  more?: M,
): TextOption & { readonly kind: "texts" } & Named<F> & M {
  return { kind: "texts", flag: name, help, ...(more as M) };
}

export function model<const F extends string, const M extends More<ModelOption> = object>(
  name: F,
  help: string,
  more?: M,
): ModelOption & { readonly kind: "model" } & Named<F> & M {
  return { kind: "model", flag: name, help, ...(more as M) };
}

export function models<const F extends string, const M extends More<ModelOption> = object>(
  name: F,
  help: string,
  more?: M,
): ModelOption & { readonly kind: "models" } & Named<F> & M {
  return { kind: "models", flag: name, help, ...(more as M) };
}

export function group<const O extends Readonly<Record<string, Option>>>(
  help: string,
  options: O,
): { readonly kind: "group"; readonly help: string; readonly options: O } {
  return { kind: "group", help, options };
}

/** A group that one flag turns on: nothing of it holds without that flag. */
export function switched<const B extends FlagOption, const O extends Readonly<Record<string, Option>>>(
  by: B,
  options: O,
): { readonly kind: "group"; readonly help: string; readonly by: B; readonly options: O } {
  return { kind: "group", help: by.help, by, options };
}

/** What a program may give for one option. */
type Given<O> = O extends { readonly kind: "flag" }
  ? boolean
  : O extends { readonly kind: "list"; readonly value: Value<infer T> }
    ? readonly T[]
    : O extends { readonly kind: "value"; readonly value: Value<infer T> }
      ? T
      : O extends { readonly kind: "text" }
        ? Text | string
        : O extends { readonly kind: "texts" }
          ? Text | string | readonly (Text | string)[]
          : O extends { readonly kind: "model" }
            ? ModelLike
            : O extends { readonly kind: "models" }
              ? readonly ModelLike[]
              : O extends { readonly kind: "group"; readonly options: infer G }
                ? GivenOptions<G> | (O extends { readonly by: FlagOption } ? boolean : never)
                : never;

type IsRequired<O> = O extends { readonly required: true } ? true : false;

/** What a program gives for the options of an operation: an object with a key an option. */
export type GivenOptions<O> = {
  readonly [K in keyof O as IsRequired<O[K]> extends true ? K : never]: Given<O[K]>;
} & {
  readonly [K in keyof O as IsRequired<O[K]> extends true ? never : K]?: Given<O[K]> | undefined;
};

/** `--skip-layers <pattern>` → `skipLayers`, as types have it. */
type SettingName<F extends string> = F extends `--no-${infer Name}`
  ? Camel<FirstWord<Name>>
  : F extends `--${infer Name}`
    ? Camel<FirstWord<Name>>
    : never;
type FirstWord<S extends string> = S extends `${infer Word} ${string}` ? Word : S;
type Camel<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

/** What an operation works with for one option. */
type Setting<O> = O extends { readonly kind: "flag" }
  ? boolean
  : O extends { readonly kind: "list"; readonly value: Value<infer T> }
    ? readonly T[]
    : O extends { readonly kind: "value"; readonly value: Value<infer T> }
      ? T
      : O extends { readonly kind: "text" | "model" }
        ? string
        : O extends { readonly kind: "texts" | "models" }
          ? readonly string[]
          : never;

/** Options that are there whether they were given or not. */
type IsSet<O> = O extends
  | { readonly required: true }
  | { readonly fallback: unknown }
  | { readonly kind: "list" | "texts" | "models" }
  ? true
  : false;

type Flat<O> = {
  readonly [K in keyof O as IsSet<O[K]> extends true ? FlagName<O[K]> : never]: Setting<O[K]>;
} & {
  readonly [K in keyof O as IsSet<O[K]> extends true ? never : FlagName<O[K]>]?: Setting<O[K]>;
};
type FlagName<O> = O extends { readonly flag: infer F extends string } ? SettingName<F> : never;
type Together<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void ? I : never;
type GroupsOf<O> = {
  [K in keyof O]: O[K] extends { readonly kind: "group"; readonly options: infer G }
    ? Flat<G> & (O[K] extends { readonly by: infer B } ? Flat<{ readonly by: B }> : unknown)
    : never;
}[keyof O];
type Ungrouped<O> = { readonly [K in keyof O as O[K] extends { readonly kind: "group" } ? never : K]: O[K] };

/**
 * What an operation works with: a key an option, named as on the command line (`--target-accuracy-loss` →
 * `targetAccuracyLoss`), groups flattened, texts and models as paths, defaults filled in.
 */
export type SettingsOf<O> = Flat<Ungrouped<O>> &
  ([GroupsOf<O>] extends [never] ? unknown : Together<GroupsOf<O>>);
