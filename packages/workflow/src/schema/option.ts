import type { Text } from "../texts/text.js";
import type { Model } from "../models/model.js";
import type { Value } from "./values.js";

/** What is said of every option, wherever it is used: from a program, the command line, a recipe, or a page of the documentation. */
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
  readonly options: Readonly<Record<string, Option>>;
}

export type Options = Readonly<Record<string, Option | Group>>;

type More<O extends About> = Partial<Omit<O, "kind" | "flag" | "help" | "value">>;

export function flag<const M extends More<FlagOption>>(name: string, help: string, more?: M): FlagOption & M {
  return { kind: "flag", flag: name, help, ...(more as M) };
}

export function one<T, const M extends More<ValueOption<T>>>(
  name: string,
  value: Value<T>,
  help: string,
  more?: M,
): ValueOption<T> & { readonly kind: "value" } & M {
  return { kind: "value", flag: name, value, help, ...(more as M) };
}

export function list<T, const M extends More<ValueOption<T>>>(
  name: string,
  value: Value<T>,
  help: string,
  more?: M,
): ValueOption<T> & { readonly kind: "list" } & M {
  return { kind: "list", flag: name, value, help, ...(more as M) };
}

export function text<const M extends More<TextOption>>(
  name: string,
  help: string,
  more?: M,
): TextOption & { readonly kind: "text" } & M {
  return { kind: "text", flag: name, help, ...(more as M) };
}

export function texts<const M extends More<TextOption>>(
  name: string,
  help: string,
  more?: M,
): TextOption & { readonly kind: "texts" } & M {
  return { kind: "texts", flag: name, help, ...(more as M) };
}

export function model<const M extends More<ModelOption>>(
  name: string,
  help: string,
  more?: M,
): ModelOption & { readonly kind: "model" } & M {
  return { kind: "model", flag: name, help, ...(more as M) };
}

export function models<const M extends More<ModelOption>>(
  name: string,
  help: string,
  more?: M,
): ModelOption & { readonly kind: "models" } & M {
  return { kind: "models", flag: name, help, ...(more as M) };
}

export function group<const O extends Readonly<Record<string, Option>>>(
  help: string,
  options: O,
): { readonly kind: "group"; readonly help: string; readonly options: O } {
  return { kind: "group", help, options };
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
            ? Model | string
            : O extends { readonly kind: "models" }
              ? readonly (Model | string)[]
              : O extends { readonly kind: "group"; readonly options: infer G }
                ? GivenOptions<G>
                : never;

type IsRequired<O> = O extends { readonly required: true } ? true : false;

/** What a program gives for the options of an operation: an object with a key an option. */
export type GivenOptions<O> = {
  readonly [K in keyof O as IsRequired<O[K]> extends true ? K : never]: Given<O[K]>;
} & {
  readonly [K in keyof O as IsRequired<O[K]> extends true ? never : K]?: Given<O[K]> | undefined;
};
