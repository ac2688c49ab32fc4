import { unknownName } from "@nasty/graph";
import { readHead, type RecipeHead } from "./read-head.js";
import { optionOf, readOption } from "./read-step.js";
import { openRecipe, type RecipeEntry, type RecipeNode, type RecipeReader } from "./recipe-nodes.js";
import type { OptionValue, Position, RecipeData, StepSchema } from "./recipe.js";

/** An option of a step with the values that are to be tried, at least one. */
export interface OptionAxis {
  readonly name: string;
  readonly values: readonly OptionValue[];
  readonly at: Position;
}

/** A step whose options may have several values each. */
export interface SweepStep {
  readonly kind: string;
  readonly axes: readonly OptionAxis[];
  readonly at: Position;
}

/** One entry of a sweep: the product of the values of all its options. */
export interface SweepEntry {
  readonly steps: readonly SweepStep[];
  readonly at: Position;
}

/** Recipes that are to be tried on one model. */
export interface Sweep extends RecipeHead {
  readonly entries: readonly SweepEntry[];
}

/**
 * Reads a sweep (YAML 1.2): the head of a recipe, and under `sweep` a list of entries, each the steps of a recipe in
 * their order, where an option may have a list of values.
 *
 * @param schemas steps that may be named, in the order in which a recipe may have them
 * @param name of the file, for messages
 * @throws CompressionError `invalid-recipe` with `line` and `column`, as `readRecipe`; steps in another order
 * @example readSweep("model: pos.onnx\nsweep: [{ quantize: { mode: [static, dynamic] } }]", schemas,
 *   "sizes.yaml").entries[0].steps[0].axes[0].values // ["static", "dynamic"]
 */
export function readSweep(text: string, schemas: readonly StepSchema[], name: string): Sweep {
  const reader = openRecipe(text, name);
  const { head, work } = readHead(reader, { name, key: "sweep", expected: "a list of recipes" });
  const items = reader.items(work, "sweep");
  if (items.length === 0) throw reader.fail(work.at, "sweep: expected at least 1 recipe, got 0");
  return {
    ...head,
    entries: items.map((item, index) =>
      readEntry(reader, item, { what: `recipe ${index + 1}`, schemas, data: head.data }),
    ),
  };
}

interface EntryContext {
  readonly what: string;
  readonly schemas: readonly StepSchema[];
  readonly data: RecipeData;
}

function readEntry(reader: RecipeReader, item: RecipeNode, context: EntryContext): SweepEntry {
  const { what, schemas } = context;
  const names = schemas.map(({ name }) => name);
  const steps = reader.entries(item, what);
  if (steps.length === 0) throw reader.fail(item.at, `${what}: expected at least 1 step, got 0`);
  let last = -1;
  for (const { key, keyAt } of steps) {
    const place = names.indexOf(key);
    if (place < 0) throw reader.fail(keyAt, `${what}: ${unknownName(key, names)}`);
    if (place < last) {
      throw reader.fail(keyAt, `${what}: ${key}: expected it before ${names[last]}, got it behind`);
    }
    last = place;
  }
  return { at: item.at, steps: steps.map((entry) => readSweepStep(reader, entry, context)) };
}

function readSweepStep(
  reader: RecipeReader,
  entry: RecipeEntry,
  { what, schemas, data }: EntryContext,
): SweepStep {
  const schema = schemas.find(({ name }) => name === entry.key)!;
  const named = `${what} (${entry.key})`;
  const options = entry.value === undefined ? [] : reader.entries(entry, named);
  return {
    kind: entry.key,
    at: entry.keyAt,
    axes: options.map((one): OptionAxis => {
      const option = optionOf(reader, one, { schema, what: named });
      const items = reader.isList(one) ? reader.items(one, `${named}: ${option.name}`) : [one];
      if (items.length === 0) {
        const empty = option.takes === "list" ? "; [[]] is a list without entries as the only value" : "";
        throw reader.fail(one.at, `${named}: ${option.name}: expected at least 1 value, got 0${empty}`);
      }
      const values = items.map((item) =>
        readOption(reader, { ...item, key: one.key, keyAt: item.at }, { option, what: named, data }),
      );
      return { name: option.name, values, at: one.keyAt };
    }),
  };
}
