import type { RecipeEntry, RecipeNode, RecipeReader } from "./recipe-nodes.js";
import type { OptionSchema, OptionValue, Position, RecipeData, RecipeStep, StepSchema } from "./recipe.js";
import { unknownName } from "@nasty/graph";

interface StepContext {
  readonly number: number;
  readonly schemas: readonly StepSchema[];
  readonly data: RecipeData;
}

/** One step: a name, or a name with options under it, checked against its schema and the texts that there are. */
export function readStep(reader: RecipeReader, item: RecipeNode, context: StepContext): RecipeStep {
  const { number, schemas, data } = context;
  const what = `step ${number}`;
  const names = schemas.map(({ name }) => name);
  const { kind, kindAt, node } = stepHead(reader, item, what);
  const schema = schemas.find(({ name }) => name === kind);
  if (schema === undefined) throw reader.fail(kindAt, `${what}: ${unknownName(kind, names)}`);
  const options: Record<string, OptionValue> = {};
  const optionsAt: Record<string, Position> = {};
  const entries = node?.value === undefined ? [] : reader.entries(node, `${what} (${kind})`);
  for (const entry of entries) {
    const found = optionOf(reader, entry, { schema, what: `${what} (${kind})` });
    options[found.name] = readOption(reader, entry, { option: found, what: `${what} (${kind})`, data });
    optionsAt[found.name] = entry.keyAt;
  }
  const step = { number, kind, options, at: kindAt, optionsAt };
  checkNeeds(step, schema, data, reader.fail);
  return step;
}

/** The option that an entry gives a value to. */
export function optionOf(
  reader: RecipeReader,
  { key, keyAt }: RecipeEntry,
  { schema, what }: { readonly schema: StepSchema; readonly what: string },
): OptionSchema {
  const found = schema.options.find(({ name }) => name === key);
  if (found !== undefined) return found;
  const known = schema.options.map(({ name }) => name);
  const why = known.length === 0 ? `expected no options, got ${key}` : unknownName(key, known);
  throw reader.fail(keyAt, `${what}: option: ${why}`);
}

/** Refuses a step that reads a text which the data section has not. */
export function checkNeeds(
  { number, kind, options, at }: RecipeStep,
  schema: StepSchema,
  data: RecipeData,
  fail: RecipeReader["fail"],
): void {
  for (const { name, isRequired, purpose } of schema.needs?.(options) ?? []) {
    if (!isRequired || data[name] !== undefined) continue;
    throw fail(
      at,
      `step ${number} (${kind}): data: expected ${name} in the data section (${purpose}), got none`,
    );
  }
}

function stepHead(reader: RecipeReader, item: RecipeNode, what: string) {
  if (!reader.isMapping(item)) {
    return { kind: reader.text(item, what, "the name of a step"), kindAt: item.at, node: undefined };
  }
  const [first, second] = reader.entries(item, what);
  if (first === undefined || second !== undefined) {
    const place = second?.keyAt ?? item.at;
    throw reader.fail(
      place,
      `${what}: expected one step with its options under it, got ${second?.key ?? "nothing"}; indent options below the step's name`,
    );
  }
  return { kind: first.key, kindAt: first.keyAt, node: first };
}

interface OptionContext {
  readonly option: OptionSchema;
  readonly what: string;
  readonly data: RecipeData;
}

export function readOption(reader: RecipeReader, entry: RecipeEntry, context: OptionContext): OptionValue {
  const { option, data } = context;
  const what = `${context.what}: ${option.name}`;
  switch (option.takes) {
    case "flag": {
      const value = reader.scalar(entry, what, "true or false");
      if (typeof value === "boolean") return value;
      throw reader.fail(entry.at, `${what}: expected true or false, got ${value}`);
    }
    case "value":
      return readValue(reader, entry, { what, option });
    case "list": {
      const items = reader.isList(entry) ? reader.items(entry, what) : [entry];
      return items.map((item) => readValue(reader, item, { what, option }));
    }
    case "data": {
      const known = Object.keys(data);
      const name = reader.text(entry, what, "the name of a text of the data section");
      if (known.includes(name)) return name;
      const why =
        known.length === 0 ? `expected a text of the data section, got ${name}` : unknownName(name, known);
      throw reader.fail(entry.at, `${what}: ${why}`);
    }
    default:
      return option.takes satisfies never;
  }
}

function readValue(
  reader: RecipeReader,
  node: RecipeNode,
  { what, option }: { readonly what: string; readonly option: OptionSchema },
): string {
  const value = reader.text(node, what, "a value");
  const wrong = option.check?.(value);
  if (wrong === undefined) return value;
  throw reader.fail(node.at, `${what}: ${wrong}, got ${value}`);
}
