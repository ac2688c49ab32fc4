import { TfjsError } from "../tfjs-error.js";
import type { Layer } from "./topology.js";

/** A layer, or a layer inside a wrapper, as its options are read. */
export type DescribedLayer = Pick<Layer, "name" | "className" | "config">;

/** Options that say how a layer is trained or made, not what it computes. */
const ignored = new Set([
  "name",
  "trainable",
  "dtype",
  "input_dtype",
  "batch_input_shape",
  "batch_shape",
  "batch_size",
  "input_shape",
  "seed",
  "noise_shape",
  "dropout",
  "recurrent_dropout",
  "implementation",
  "unroll",
  "unit_forget_bias",
  "zero_output_for_mask",
  "use_cudnn",
]);
const ignoredEndings = /_(?:initializer|regularizer|constraint)$/;

/** The options of a layer, checked as they are read. */
export interface LayerOptions {
  count(key: string): number;
  number(key: string, otherwise: number): number;
  flag(key: string, otherwise: boolean): boolean;
  text(key: string, otherwise: string): string;
  /** A number, or a list that holds only one. */
  single(key: string, otherwise: number): number;
  /** An option of any form. */
  value(key: string): unknown;
  /** An option that only one value of is supported; also taken when it is left out. */
  only(key: string, allowed: unknown, meaning: string): void;
  /** An error about one option. */
  unsupported(key: string, expected: string): TfjsError;
}

/**
 * Reads the options of a layer.
 *
 * @param known the options that the caller treats; any other that could change the result is refused by name rather
 *   than ignored
 * @throws TfjsError `unsupported-option`, `invalid-model` for a value of another form
 */
export function optionsOf(layer: DescribedLayer, known: readonly string[]): LayerOptions {
  const { config } = layer;
  for (const [key, value] of Object.entries(config)) {
    const isNothing = value === null || value === undefined || value === false;
    if (isNothing || known.includes(key) || ignored.has(key) || ignoredEndings.test(key)) continue;
    throw problem("unsupported-option", layer, { key, expected: "none", got: value });
  }
  const read = <T>(
    key: string,
    expected: string,
    accept: (value: unknown) => T | undefined,
    otherwise?: T,
  ): T => {
    const given = config[key] ?? undefined;
    const value = given === undefined ? otherwise : accept(given);
    if (value === undefined) throw problem("invalid-model", layer, { key, expected, got: given });
    return value;
  };
  return {
    count: (key) => read(key, "a whole number of 1 or more", positiveInteger),
    number: (key, otherwise) => read(key, "a number", finite, otherwise),
    flag: (key, otherwise) =>
      read(key, "true or false", (value) => (typeof value === "boolean" ? value : undefined), otherwise),
    text: (key, otherwise) =>
      read(key, "a text", (value) => (typeof value === "string" ? value : undefined), otherwise),
    single: (key, otherwise) =>
      read(
        key,
        "a number, or a list of one",
        (value) => finite(Array.isArray(value) && value.length === 1 ? value[0] : value),
        otherwise,
      ),
    value: (key) => config[key] ?? undefined,
    only(key, allowed, meaning) {
      const value = config[key] ?? undefined;
      if (value !== undefined && value !== allowed) {
        throw problem("unsupported-option", layer, { key, expected: meaning, got: value });
      }
    },
    unsupported: (key, expected) => problem("unsupported-option", layer, { key, expected, got: config[key] }),
  };
}

const finite = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

const positiveInteger = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? value : undefined;

function problem(
  code: "unsupported-option" | "invalid-model",
  { name, className }: DescribedLayer,
  { key, expected, got }: { key: string; expected: string; got: unknown },
): TfjsError {
  const shown = got === undefined || got === null ? "nothing" : JSON.stringify(got).slice(0, 80);
  return new TfjsError(
    code,
    `importLayersModel: layer ${JSON.stringify(name)} (${className}): ${key}: expected ${expected}, got ${shown}`,
    { node: name, operator: className },
  );
}
